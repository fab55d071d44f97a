import type { Clock } from "./types.ts";

/** Wakes one sleeper: at an instant, or when somebody says so, also if that was before it slept. */
export class Waker {
  readonly #clock: Clock;
  #isWoken = false;
  #wake = () => {};

  /** Makes one whose sleeper nobody has woken. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wakes the sleeper, or the next one at once. */
  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** Resolves at `until`, in the clock's milliseconds, or when woken. If that was before, others have their turn first. */
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
