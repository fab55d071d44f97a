import { describeStep, type LogFields, logFields, originFields, type Status } from "@ncolony/core";
import type { FoundChild, Log } from "@ncolony/host";
import type { TakenStep } from "./events.ts";
import type { Why } from "./posted.ts";

/** Logs a step. */
export function logStep(log: Log, { name, before, event, after, now, pid }: TakenStep, fields: LogFields): void {
  const line = describeStep(before, event, after, now);
  // The process was not asked to exit.
  const level = before.type === "running" && event.type === "leader-exited" ? "warn" : "info";
  log[level](pid === undefined ? line : `${line}, pid ${pid}`, name, fields);
}

/** Logs a leftover process of a previous monitor. */
export function logLeftover(log: Log, { name, pids, isKnown }: FoundChild, fields: LogFields): void {
  const which = `pid${pids.length > 1 ? "s" : ""} ${pids.join(", ")}`;
  if (pids.length === 0) {
    log.warn("gone -> stopping (a previous monitor may have just started it)", name, fields);
  } else if (isKnown) {
    log.warn(`gone -> stopping (left running by a previous monitor: ${which})`, name, fields);
  } else {
    log.error(
      `waiting up to 60 s for ${which}, recorded by a previous monitor, to exit: without --allow-all, or sh and ` +
        "cat, the monitor cannot tell whether that is this process or another program",
      name,
      fields,
    );
  }
}

/** Logs that a restart does nothing, because it was meant for an earlier start of the process. */
export function logIgnored(log: Log, status: Status, { cause, incarnation }: Why): void {
  const fields = { ...logFields(status), ...(cause.kind === "message" ? originFields(cause) : {}) };
  log.info(`ignored a restart meant for start ${incarnation}, which has ended`, status.name, fields);
}
