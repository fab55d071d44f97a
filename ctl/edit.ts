import {
  isObject,
  type JsonObject,
  MAX_CONFIG_BYTES,
  mergePatch,
  ownValue,
  parseConfig,
  parseSpec,
} from "@ncolony/core";
import { postFile, readOwnFile } from "@ncolony/host/tool";
import type { Places } from "./ctl.ts";

/**
 * Changes the config of a process by a merge patch (RFC 7396). All other keys stay, and so do the mode and the owner of
 * the file. The monitor's own parser checks the result first.
 *
 * @param places The directories of the colony.
 * @param name The name of the process.
 * @param change The keys to change, and null for those to remove.
 * @returns Whether that changed anything. If not, nothing is written.
 * @throws {SpecError} If the config is invalid, before or after the change.
 * @throws {Deno.errors.NotFound} If there is no such config.
 *
 * @example
 * ```ts
 * import { add, patch } from "@ncolony/ctl";
 *
 * const config = await Deno.makeTempDir();
 * const messages = await Deno.makeTempDir();
 * add({ config, messages }, "web", "httpd", ["-f"]);
 * patch({ config, messages }, "web", { env: { PORT: "8080" } });
 * ```
 */
export function patch(places: Places, name: string, change: JsonObject): boolean {
  const before = readOwnFile(places.config, name, MAX_CONFIG_BYTES);
  const config = parseConfig(name, before);
  const after = format(mergePatch(config, change) as JsonObject, before);
  parseSpec(name, after);
  if (JSON.stringify(config) === JSON.stringify(JSON.parse(after))) return false;
  postFile(places.config, name, after, true);
  return true;
}

/**
 * Lets the monitor run a process again that was stopped: removes `"enabled": false` from its config. Returns whether it
 * was stopped. Throws as {@linkcode patch}.
 */
export function start(places: Places, name: string): boolean {
  const source = readOwnFile(places.config, name, MAX_CONFIG_BYTES);
  if (parseSpec(name, source).enabled) return false;
  const monitor = ownValue(parseConfig(name, source), "ncolony.monitor");
  const isAlone = isObject(monitor) && Object.keys(monitor).length === 1;
  return patch(places, name, { "ncolony.monitor": isAlone ? null : { enabled: null } });
}

/**
 * Stops a process until {@linkcode start}: sets `"enabled": false` in its config. Returns whether it was enabled. Throws
 * as {@linkcode patch}.
 */
export function stop(places: Places, name: string): boolean {
  return patch(places, name, { "ncolony.monitor": { enabled: false } });
}

/** Formats a config as its text was formatted before: in one line, or with its indentation. */
function format(config: JsonObject, before: string): string {
  const [, indent] = /^\{\s*\n([ \t]+)/.exec(before) ?? [];
  const text = JSON.stringify(config, null, indent);
  return before.endsWith("\n") ? `${text}\n` : text;
}
