import { judgeOrder, type Order, visible } from "@ncolony/core";
import { denoClock, StatusReader } from "@ncolony/host/read-tool";
import { complain, ExitError, type Program } from "@ncolony/host/tool";
import { NOT_WELL, NOTHING } from "./unknown.ts";

/** How often the status of what is waited for is read, in milliseconds. */
const POLL_MS = 50;

/**
 * Waits until each order is done.
 *
 * @param path The status directory.
 * @param orders What was asked for, by the names of the processes.
 * @param timeoutMs How long to wait, in milliseconds.
 * @returns The exit code: 0 if all are done; 3 if one has failed, which is reported at once, or takes longer.
 * @throws {ExitError} With 4 if there is no monitor.
 */
export async function waitFor(
  program: Program,
  path: string,
  orders: ReadonlyMap<string, Order>,
  timeoutMs: number,
): Promise<number> {
  const reader = new StatusReader(path);
  const open = new Map(orders);
  const until = denoClock.now() + timeoutMs;
  let code = 0;
  for (;;) {
    for (const [name, order] of [...open]) {
      const outcome = judgeOrder(order, reader.process(name), reader.history(name).events, denoClock.wall());
      if (outcome.type === "pending") continue;
      open.delete(name);
      if (outcome.type === "done") continue;
      complain(program, visible(`${name}: ${outcome.reason}`));
      code = NOT_WELL;
    }
    if (open.size === 0) return code;
    if (reader.isAlive() === false) {
      throw new ExitError(`no monitor writes the status in ${JSON.stringify(path)}`, NOTHING);
    }
    if (denoClock.now() >= until) break;
    await new Promise<void>((resolve) => denoClock.after(POLL_MS, resolve));
  }
  for (const name of open.keys()) {
    const status = reader.process(name)?.status;
    const waitsFor = status?.waitsFor ?? null;
    complain(
      program,
      visible(
        `${name}: not done after ${timeoutMs / 1000} s: it is ${status?.state ?? "unknown"}${
          waitsFor === null ? "" : `, and waits for ${waitsFor}`
        }`,
      ),
    );
  }
  return NOT_WELL;
}
