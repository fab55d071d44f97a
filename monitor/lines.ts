import { describeStep } from "@ncolony/core";
import type { FoundChild, Log } from "@ncolony/host";
import type { TakenStep } from "./events.ts";

/** Writes the line of a step into a log. */
export function logStep(log: Log, { name, before, event, after, now, pid }: TakenStep): void {
  const line = describeStep(before, event, after, now);
  // Nobody asked for this end.
  const level = before.type === "running" && event.type === "leader-exited" ? "warn" : "info";
  log[level](pid === undefined ? line : `${line}, pid ${pid}`, name);
}

/** Writes into a log what an earlier monitor left running. */
export function logLeftover(log: Log, { name, pids, isKnown }: FoundChild): void {
  const which = `pid${pids.length > 1 ? "s" : ""} ${pids.join(", ")}`;
  if (pids.length === 0) {
    log.warn("gone -> stopping (an earlier monitor may just have started it)", name);
  } else if (isKnown) {
    log.warn(`gone -> stopping (${which} of an earlier monitor still runs)`, name);
  } else {
    log.error(
      `waits until ${which} is gone, which an earlier monitor wrote down, but no longer than 60 s: without ` +
        "--allow-all, and without sh and cat, nobody can tell whether it is this process or a stranger",
      name,
    );
  }
}
