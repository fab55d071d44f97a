import { judgeOrder, type Order, visible, whyOld, whyUnhealthy } from "@ncolony/core";
import { denoClock, type StatusReader } from "@ncolony/host/read-tool";
import { ExitError } from "@ncolony/host/tool";
import type { Checks } from "./checks.ts";
import { NOT_WELL, NOTHING } from "./unknown.ts";

/** How often the status of what is waited for is read, in milliseconds. */
const POLL_MS = 50;

/** How long to wait for a process without checks, in milliseconds. */
const DEFAULT_MS = 30_000;

/**
 * Waits until each order is done.
 *
 * @param report Called with a line about each order that is not done.
 * @param reader The status directory.
 * @param checks The checks that must have a good result.
 * @param orders What was asked for, by the names of the processes.
 * @param timeoutMs How long to wait, in milliseconds. Null: 30 s, and as long as their checks may take.
 * @returns The exit code: 0 if all are done; 3 if one has failed, which is reported at once, or takes longer.
 * @throws {ExitError} With 4 if there is no monitor.
 */
export async function waitFor(
  report: (line: string) => void,
  reader: StatusReader,
  checks: Checks,
  orders: ReadonlyMap<string, Order>,
  timeoutMs: number | null,
): Promise<number> {
  const open = new Map(orders);
  const names = [...orders.keys()];
  const waitMs = timeoutMs ?? DEFAULT_MS + Math.max(0, ...names.map((name) => checks.firstResultMs(name)));
  const until = denoClock.now() + waitMs;
  let code = 0;
  for (;;) {
    for (const [name, order] of [...open]) {
      const told = reader.process(name);
      const isWell = told !== null && checks.areGood(told.status);
      const outcome = judgeOrder(order, told, reader.history(name).events, isWell, denoClock.wall());
      if (outcome.type === "pending") continue;
      open.delete(name);
      if (outcome.type === "done") continue;
      report(visible(`${name}: ${outcome.reason}`));
      code = NOT_WELL;
    }
    if (open.size === 0) return code;
    if (reader.isAlive() === false) {
      throw new ExitError(`no monitor writes the status in ${JSON.stringify(reader.path)}`, NOTHING);
    }
    if (denoClock.now() >= until) break;
    await new Promise<void>((resolve) => denoClock.after(POLL_MS, resolve));
  }
  for (const name of open.keys()) {
    report(visible(`${name}: not done after ${waitMs / 1000} s: it is ${howItIs(reader, checks, name)}`));
  }
  const old = whyOld(reader.json(".monitor") ?? {}, denoClock.wall());
  if (old !== null) report(visible(old));
  return NOT_WELL;
}

/** Tells how a process is that is still waited for. */
function howItIs(reader: StatusReader, checks: Checks, name: string): string {
  const status = reader.process(name)?.status;
  if (status === undefined) return "unknown";
  const { state, waitsFor } = status;
  if (waitsFor !== null) return `${state}, and waits for ${waitsFor}`;
  const unhealthy = whyUnhealthy(reader.healths(reader.checkers(), status), status);
  if (unhealthy !== null) return `${state}, and ${unhealthy}`;
  return state === "running" && !checks.areGood(status) ? `${state}, but not healthy yet` : state;
}
