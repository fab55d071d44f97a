import { killTimeWithin } from "@ncolony/core";
import { ownKillTimeMs } from "../program/own_config.ts";
import type { Log } from "../types.ts";

/**
 * Returns how long a run has to exit when this program is asked to stop, in milliseconds. The run must exit before the
 * monitor kills this program, because nothing would end it after that. Logs a warning if the grace is longer.
 */
export function stopMsOf(grace: number, log: Log): number {
  const killTimeMs = ownKillTimeMs();
  if (killTimeMs === null) return Infinity;
  const stopMs = killTimeWithin(killTimeMs);
  if (stopMs < grace * 1000) {
    log.warn(
      `--grace ${grace} is longer than the monitor allows with a kill_time of ${killTimeMs / 1000} s: ` +
        `when this program is stopped, its run gets SIGKILL after ${stopMs / 1000} s`,
    );
  }
  return stopMs;
}
