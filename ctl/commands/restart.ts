import { MAX_CONFIG_BYTES, parseSpec, quotedName, SpecError } from "@ncolony/core";
import { ExitError, mayRead, type ParsedArgs, readLinkedFile } from "@ncolony/host/tool";
import { restart } from "../ctl.ts";
import { requireExisting } from "../existing.ts";
import { someNames } from "../operands.ts";
import { asUsage, left, ORIGIN, requestOf, waiterFor } from "../request.ts";
import { NOT_WELL } from "../unknown.ts";

/**
 * Restarts processes: `restart NAME…`.
 *
 * @returns The exit code.
 * @throws {ExitError} With 4 if one does not exist, with 3 if one is disabled, unless it is forced.
 */
export async function run(args: ParsedArgs): Promise<number> {
  const names = someNames(args);
  const request = requestOf(args);
  if (!args.flags.has("force")) {
    requireExisting(request.places.config, names);
    requireEnabled(request.places.config, names);
  }
  const waiter = await waiterFor(request);
  const ask = (name: string) => asUsage("restart", () => restart(request.places, name, ORIGIN));
  if (waiter !== null) return await waiter.untilRestarted(names, ask);
  names.forEach(ask);
  return left(request);
}

/** Checks that no process is disabled, as far as that can be seen. @throws {ExitError} With 3 if one is. */
function requireEnabled(config: string, names: readonly string[]): void {
  const disabled = mayRead(config) ? names.find((name) => isDisabled(name, config)) : undefined;
  if (disabled !== undefined) {
    throw new ExitError(`${quotedName(disabled)} is disabled: start it first, with "start"`, NOT_WELL);
  }
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
