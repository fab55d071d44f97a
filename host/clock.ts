import type { Clock } from "./types.ts";

/** Longer timers fire at once in Deno (and in every browser): 2^31 ms do not fit. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** The clock of the machine. */
export const denoClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
  yield: () => new Promise((resolve) => setTimeout(resolve, 0)),
};
