import { killTimeWithin } from "@ncolony/core";

/** How long writing the last lines may take if the stop time is unlimited, in milliseconds. */
const FLUSH_MS = 1000;

/** How long the steps of a stop may take, in milliseconds. */
export class StopTime {
  /** From the first request to stop until this program ends; Infinity: unlimited. */
  readonly totalMs: number;
  /** From the same moment until everything that is left gets SIGKILL. */
  readonly killMs: number;
  /** From the same moment until processes that SIGKILL did not end are left behind. */
  readonly giveUpMs: number;
  /** How long writing each of the two kinds of last lines may take: log files, and this program's own output. */
  readonly flushMs: number;

  /** Divides the total time into steps. */
  constructor(totalMs: number) {
    this.totalMs = totalMs;
    this.killMs = killTimeWithin(totalMs);
    this.giveUpMs = (totalMs + this.killMs) / 2;
    this.flushMs = totalMs === Infinity ? FLUSH_MS : Math.min(FLUSH_MS, (totalMs - this.giveUpMs) / 2);
  }
}
