import type { ParsedArgs } from "@ncolony/host/tool";
import type { Places } from "./ctl.ts";
import { requireExisting } from "./existing.ts";
import { asUsage, requestOf, waiterFor } from "./request.ts";

/**
 * Changes the configs of some processes.
 *
 * @param names The names of the processes.
 * @param change Changes the config of one.
 * @param until How to wait for it with `--wait`.
 * @returns The exit code.
 * @throws {ExitError} With 4 if one of the configs does not exist. Then nothing is changed.
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
  asUsage("change", () => names.forEach((name) => change(request.places, name)));
  return await waiter?.[until](names) ?? 0;
}
