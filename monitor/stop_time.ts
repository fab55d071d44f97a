import { killTimeWithin } from "@ncolony/core";

/** How long the last lines may take to be written where nothing limits that, in milliseconds. */
const FLUSH_MS = 1000;

/** How long everything may take from the first request to stop to the end of this program; all in milliseconds. */
export class StopTime {
  /** All of it; Infinity: as long as it takes. */
  readonly totalMs: number;
  /** Until SIGKILL to all that is left. */
  readonly killMs: number;
  /** Until it waits no longer for who does not end on SIGKILL. */
  readonly giveUpMs: number;
  /** How long each of the two kinds of last lines may take. */
  readonly flushMs: number;

  /** Divides a time. */
  constructor(totalMs: number) {
    this.totalMs = totalMs;
    this.killMs = killTimeWithin(totalMs);
    this.giveUpMs = (totalMs + this.killMs) / 2;
    this.flushMs = totalMs === Infinity ? FLUSH_MS : Math.min(FLUSH_MS, (totalMs - this.giveUpMs) / 2);
  }
}
