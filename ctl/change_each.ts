import { MAX_CONFIG_BYTES, parseSpec, quotedName, SpecError, UsageError } from "@ncolony/core";
import { ExitError, type ParsedArgs, readOwnFile } from "@ncolony/host/tool";
import type { Places } from "./ctl.ts";
import { requireExisting } from "./existing.ts";
import { left, requestOf, waiterFor } from "./request.ts";

/**
 * Changes the configs of some processes.
 *
 * @param names The names of the processes.
 * @param change Changes the config of one.
 * @param until How to wait for it with `--wait`.
 * @returns The exit code.
 * @throws {ExitError} With 4 if one of the configs does not exist. Then nothing is changed. With 1 if one was invalid.
 * @throws {UsageError} If one would become invalid.
 */
export async function changeEach(
  args: ParsedArgs,
  names: readonly string[],
  change: (places: Places, name: string) => unknown,
  until: "untilRunning" | "untilGone",
): Promise<number> {
  const request = requestOf(args);
  requireExisting(request.places.config, names);
  const waiter = await waiterFor(request);
  for (const name of names) {
    try {
      change(request.places, name);
    } catch (error) {
      throw error instanceof SpecError ? whyNot(error, request.places.config) : error;
    }
  }
  return await waiter?.[until](names) ?? left(request);
}

/** Tells whose fault it is that a config cannot be changed: that of its file, or that of the change. */
function whyNot({ file: name, reason }: SpecError, config: string): Error {
  try {
    parseSpec(name, readOwnFile(config, name, MAX_CONFIG_BYTES));
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    return new ExitError(`Cannot change ${quotedName(name)}: its config is invalid: ${reason}`, 1);
  }
  return new UsageError(`Cannot change ${quotedName(name)}: ${reason}`);
}
