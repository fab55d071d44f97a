import { type Place, placeAt, scanJson } from "./json_scan.ts";

/**
 * Returns where a config text is invalid: where a key stands, or where the text stops being JSON. Null if it has no
 * such key.
 *
 * @param source The text.
 * @param field The path of the key, such as `ncolony.monitor.cwd`. Null: the text as a whole.
 *
 * @example
 * ```ts
 * import { placeOf } from "@ncolony/core";
 *
 * const place = placeOf('{\n  "args": "cat"\n}', "args");
 * if (place?.line !== 2 || place.column !== 3) throw new Error("unexpected");
 * ```
 */
export function placeOf(source: string, field: string | null): Place | null {
  if (field === null) {
    const { at, isWhole } = scanJson(source);
    return isWhole ? null : placeAt(source, at);
  }
  const found = keysOf(source).findLast(({ path }) => path === field);
  return found === undefined ? null : placeAt(source, found.at);
}

/** Returns the path and the position of each key of a text that is JSON. */
function keysOf(source: string): { readonly path: string; readonly at: number }[] {
  const keys: { path: string; at: number }[] = [];
  const prefixes: string[] = [];
  let path = "";
  let last = { token: "", at: 0 };
  scanJson(source, (token, at) => {
    if (token === "{" || token === "[") prefixes.push(path === "" ? "" : `${path}.`);
    else if (token === "}" || token === "]") prefixes.pop();
    else if (token === ":") {
      path = `${prefixes.at(-1)}${JSON.parse(last.token)}`;
      keys.push({ path, at: last.at });
    }
    last = { token, at };
  });
  return keys;
}
