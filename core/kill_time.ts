/** The kill time of a monitor that was not told another one, in milliseconds. */
export const DEFAULT_KILL_TIME_MS = 5000;

/** So much of the time for a stop is kept for what comes after SIGKILL, in milliseconds. */
const MARGIN_MS = 1000;

/**
 * How long a program that must itself end in time gives what it runs, from the stop signal to SIGKILL: a second less, or half
 * of its own time where that is less than two seconds. All in milliseconds.
 */
export function killTimeWithin(totalMs: number): number {
  return Math.max(totalMs - MARGIN_MS, totalMs / 2);
}
