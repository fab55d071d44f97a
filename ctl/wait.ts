import { judgeOrder, MAX_CONFIG_BYTES, objectIn, type Order, type Status, visible, whyUnhealthy } from "@ncolony/core";
import { denoClock, StatusReader } from "@ncolony/host/read-tool";
import { ExitError, mayRead, readLinkedFile } from "@ncolony/host/tool";
import { NOT_WELL, NOTHING } from "./unknown.ts";

/** How often the status of what is waited for is read, in milliseconds. */
const POLL_MS = 50;

/**
 * Waits until each order is done.
 *
 * @param report Called with a line about each order that is not done.
 * @param places The directory of configs, which tell which checks to wait for, and the status directory.
 * @param orders What was asked for, by the names of the processes.
 * @param timeoutMs How long to wait, in milliseconds.
 * @returns The exit code: 0 if all are done; 3 if one has failed, which is reported at once, or takes longer.
 * @throws {ExitError} With 4 if there is no monitor.
 */
export async function waitFor(
  report: (line: string) => void,
  { config, status: path }: { readonly config: string; readonly status: string },
  orders: ReadonlyMap<string, Order>,
  timeoutMs: number,
): Promise<number> {
  const reader = new StatusReader(path);
  const open = new Map(orders);
  const until = denoClock.now() + timeoutMs;
  let code = 0;
  for (;;) {
    for (const [name, order] of [...open]) {
      const told = reader.process(name);
      const isWell = told !== null && isFoundWell(reader, told.status, config);
      const outcome = judgeOrder(order, told, reader.history(name).events, isWell, denoClock.wall());
      if (outcome.type === "pending") continue;
      open.delete(name);
      if (outcome.type === "done") continue;
      report(visible(`${name}: ${outcome.reason}`));
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
    report(visible(`${name}: not done after ${timeoutMs / 1000} s: it is ${howItIs(reader, name, config)}`));
  }
  return NOT_WELL;
}

/** Whether each check that a process has, and whose results are told, has found it healthy since its start. */
function isFoundWell(reader: StatusReader, status: Status, config: string): boolean {
  const checkers = reader.checkers();
  if (checkers.length === 0) return true;
  const healths = reader.healths(checkers, status);
  const asked = checksIn(config, status.name);
  const due = checkers.filter((checker) => asked === null ? healths.has(checker) : asked.has(checker));
  return due.every((checker) => healths.get(checker)?.isHealthy === true);
}

/** Returns the checkers that a config asks for. Null if it may not be read. */
function checksIn(config: string, name: string): ReadonlySet<string> | null {
  const source = mayRead(config) ? readLinkedFile(config, name, MAX_CONFIG_BYTES) : null;
  const keys = source === null ? null : objectIn(source);
  if (keys === null) return null;
  return new Set(Object.keys(keys).filter((key) => keys[key] !== null).map((key) => key.replace(/^ncolony\./, "")));
}

/** Tells how a process is that is still waited for. */
function howItIs(reader: StatusReader, name: string, config: string): string {
  const status = reader.process(name)?.status;
  if (status === undefined) return "unknown";
  const { state, waitsFor } = status;
  if (waitsFor !== null) return `${state}, and waits for ${waitsFor}`;
  const unhealthy = whyUnhealthy(reader.healths(reader.checkers(), status));
  if (unhealthy !== null) return `${state}, but ${unhealthy}`;
  return state === "running" && !isFoundWell(reader, status, config) ? `${state}, but not found healthy yet` : state;
}
