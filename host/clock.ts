import type { Clock } from "./types.ts";

/** Longer timers fire at once in Deno (and in every browser): 2^31 ms do not fit. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * So often another thread is asked for nothing, 50 µs each, to give others their turn: Deno waits meanwhile, and then sees
 * all that happened, also ends of children and what is in pipes. After a single one it took up to five turns, after
 * `setImmediate()` 56; `setTimeout(0)` takes 2.2 ms, while everything else waits.
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
