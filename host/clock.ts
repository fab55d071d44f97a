import type { Clock } from "./types.ts";

/** The longest delay of a timer, in milliseconds: 2^31 ms do not fit, so Deno (like every browser) fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * How often {@linkcode Clock.yield} has another thread do nothing, which takes 50 µs each time. While Deno waits for
 * it, it notices everything that happened, including child exits and output in pipes. With one such wait, this took up
 * to five calls; with `setImmediate()`, 56. `setTimeout(0)` takes 2.2 ms, and everything else waits for that long.
 */
const ROUND_TRIPS = 8;
const NOTHING = new Uint8Array(0);

/** The clock of the machine. */
export const denoClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
  yield: async () => {
    for (let i = 0; i < ROUND_TRIPS; i++) await crypto.subtle.digest("SHA-1", NOTHING);
  },
};
