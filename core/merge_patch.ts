import { isObject, type Json, type JsonObject } from "./json.ts";

/**
 * Applies a merge patch (RFC 7396): keys of the patch replace those of the target, objects are merged key by key, and
 * null removes a key. The order of the keys that stay is kept.
 *
 * @example
 * ```ts
 * import { mergePatch } from "@ncolony/core";
 *
 * const patched = mergePatch({ args: ["cat"], env: { A: "1", B: "2" } }, { env: { A: null, C: "3" } });
 * if (JSON.stringify(patched) !== '{"args":["cat"],"env":{"B":"2","C":"3"}}') throw new Error("unexpected");
 * ```
 */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged: Map<string, Json> = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged) as JsonObject;
}
