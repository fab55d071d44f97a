import { describeStep } from "@ncolony/core";
import type { FoundChild, Log } from "@ncolony/host";
import type { TakenStep } from "./events.ts";

/** Logs a step. */
export function logStep(log: Log, { name, before, event, after, now, pid }: TakenStep): void {
  const line = describeStep(before, event, after, now);
  // The process was not asked to exit.
  const level = before.type === "running" && event.type === "leader-exited" ? "warn" : "info";
  log[level](pid === undefined ? line : `${line}, pid ${pid}`, name);
}

/** Logs a leftover process of a previous monitor. */
export function logLeftover(log: Log, { name, pids, isKnown }: FoundChild): void {
  const which = `pid${pids.length > 1 ? "s" : ""} ${pids.join(", ")}`;
  if (pids.length === 0) {
    log.warn("gone -> stopping (a previous monitor may have just started it)", name);
  } else if (isKnown) {
    log.warn(`gone -> stopping (left running by a previous monitor: ${which})`, name);
  } else {
    log.error(
      `waiting up to 60 s for ${which}, recorded by a previous monitor, to exit: without --allow-all, or sh and ` +
        "cat, the monitor cannot tell whether that is this process or another program",
      name,
    );
  }
}
