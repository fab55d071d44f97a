/** The default kill time of a monitor, in milliseconds. */
export const DEFAULT_KILL_TIME_MS = 5000;

/** The part of the stop time that is reserved for what comes after SIGKILL, in milliseconds. */
const MARGIN_MS = 1000;

/**
 * Returns the time between the stop signal and SIGKILL for the children of a program that must itself exit in time: a
 * second less than the program has, or half of its time if it has less than two seconds. All in milliseconds.
 */
export function killTimeWithin(totalMs: number): number {
  return Math.max(totalMs - MARGIN_MS, totalMs / 2);
}
