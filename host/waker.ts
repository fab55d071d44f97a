import type { Clock } from "./types.ts";

/** Wakes one sleeper: at a deadline, or when {@linkcode wake} is called, even if that was before it slept. */
export class Waker {
  readonly #clock: Clock;
  #isWoken = false;
  #wake = () => {};

  /** Creates a waker that has not been called yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wakes the sleeper. If nothing sleeps, the next {@linkcode wait} returns at once. */
  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /**
   * Resolves at `until`, in the clock's milliseconds, or when woken. If `until` has passed, other work has its turn
   * first.
   */
  async wait(until: number): Promise<void> {
    const delayMs = until - this.#clock.now();
    if (!this.#isWoken && delayMs <= 0) await this.#clock.yield();
    else if (!this.#isWoken) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const cancel = delayMs === Infinity ? () => {} : this.#clock.after(delayMs, resolve);
      await promise;
      cancel();
      this.#wake = () => {};
    }
    this.#isWoken = false;
  }
}
