import { isIgnored, MAX_CONFIG_BYTES, parseSpec, quotedName, SpecError } from "@ncolony/core";
import { ExitError, isFileIn, mayRead, namesIn, readLinkedFile } from "@ncolony/host/tool";
import { noSuchProcess, NOT_WELL } from "./unknown.ts";

/**
 * Checks that there is a config of each name. If this program may not read the config directory, or there is none,
 * nothing is checked.
 *
 * @throws {ExitError} With 4 if there is none. It names the nearest one.
 */
export function requireExisting(config: string, names: readonly string[]): void {
  if (!mayRead(config)) return;
  const missing = names.find((name) => !isFileIn(config, name));
  if (missing === undefined) return;
  const known = namesIn(config);
  if (known !== null) throw noSuchProcess(missing, known.filter((name) => !isIgnored(name)));
}

/** Checks that no process is disabled, as far as that can be seen. @throws {ExitError} With 3 if one is. */
export function requireEnabled(config: string, names: readonly string[]): void {
  const disabled = mayRead(config) ? names.find((name) => isDisabled(name, config)) : undefined;
  if (disabled !== undefined) throw new ExitError(`${quotedName(disabled)} is disabled: start it`, NOT_WELL);
}

function isDisabled(name: string, config: string): boolean {
  const source = readLinkedFile(config, name, MAX_CONFIG_BYTES);
  try {
    return source !== null && !parseSpec(name, source).enabled;
  } catch (error) {
    // Its last valid version is in force.
    if (error instanceof SpecError) return false;
    throw error;
  }
}
