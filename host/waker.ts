import type { Clock } from "./types.ts";

/** Wakes one sleeper: at an instant, or when it is rung, also if that was before it slept. */
export class Waker {
  readonly #clock: Clock;
  #isRung = false;
  #wake = () => {};

  /** Makes one that nobody has rung. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wakes the sleeper, or the next one at once. */
  wake(): void {
    this.#isRung = true;
    this.#wake();
  }

  /** Resolves at `until`, in the clock's milliseconds, or when rung. If that was before, others have their turn first. */
  async wait(until: number): Promise<void> {
    const delayMs = until - this.#clock.now();
    if (!this.#isRung && delayMs <= 0) await this.#clock.yield();
    else if (!this.#isRung) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const cancel = delayMs === Infinity ? () => {} : this.#clock.after(delayMs, resolve);
      await promise;
      cancel();
      this.#wake = () => {};
    }
    this.#isRung = false;
  }
}
