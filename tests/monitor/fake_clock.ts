import type { Clock } from "@ncolony/host";
// A turn of the event loop without delay: setTimeout(0) would take 2 ms.
import { setImmediate } from "node:timers";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** The default of `maxOperations`. */
const MAX_OPERATIONS = 5_000_000;

/**
 * A clock that only advances when a test advances it. It then fires the timers that are due, in order, and lets all
 * promises settle after each.
 */
export class FakeClock implements Clock {
  /** Timers with more than twice this delay fire this much too early, as coarse timers do. */
  earlyMs = 0;
  /** How far the wall clock was set forward (or back) since the start. */
  wallShiftMs = 0;
  /** Whether `yield()` blocks until this is false again. */
  holdsYields = false;
  /** The most operations that may happen at one instant. More can only be an endless loop. */
  maxOperations = MAX_OPERATIONS;
  /** How many timers have fired. */
  wakeups = 0;
  /** How often `yield()` was called. */
  yields = 0;
  #now = 5000;
  #operations = 0;
  /** The timers in reverse order: the last one fires next. */
  readonly #timers: Timer[] = [];
  /** The blocked calls of `yield()`. */
  readonly #held: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  wall(): number {
    return 1_700_000_000_000 + this.#now + this.wallShiftMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const early = delayMs > 2 * this.earlyMs ? this.earlyMs : 0;
    return this.#schedule(Math.max(0, delayMs) - early, () => {
      this.wakeups++;
      callback();
    });
  }

  yield(): Promise<void> {
    this.yields++;
    const { promise, resolve } = Promise.withResolvers<void>();
    // Like the real clock, resolve after every timer that is due by now.
    this.#schedule(0, () => {
      if (this.holdsYields) this.#held.push(resolve);
      else resolve();
    });
    return promise;
  }

  /** When the next timer is due; Infinity if there is none. */
  get nextDue(): number {
    return this.#timers.at(-1)?.due ?? Infinity;
  }

  /** How many timers are waiting. */
  get waiting(): number {
    return this.#timers.length;
  }

  /** Simulates an operation that takes this long: the clock advances, but no timer fires. */
  work(costMs: number): void {
    if (costMs > 0) this.#moveTo(this.#now + costMs);
    else if (++this.#operations > this.maxOperations) throw new Error("Work goes on for ever without any time passing");
  }

  /** Waits for everything that happens without the clock advancing. */
  async settle(): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => void setImmediate(resolve));
      if (!this.holdsYields && this.#held.length > 0) { for (const resolve of this.#held.splice(0)) resolve(); }
      else if (this.nextDue <= this.#now) this.#fire();
      else return;
    }
  }

  /** Advances the clock. */
  async advance(byMs: number): Promise<void> {
    await this.advanceTo(this.#now + byMs);
  }

  /** Advances the clock to an instant. Work may take it further. */
  async advanceTo(instant: number): Promise<void> {
    await this.settle();
    while (this.nextDue <= instant) {
      this.#moveTo(Math.max(this.#now, this.nextDue));
      this.#fire();
      await this.settle();
    }
    this.#moveTo(Math.max(this.#now, instant));
  }

  #moveTo(instant: number): void {
    if (instant > this.#now) this.#operations = 0;
    this.#now = instant;
  }

  #schedule(delayMs: number, callback: () => void): () => void {
    const timer = { due: this.#now + delayMs, callback };
    const index = this.#timers.findLastIndex(({ due }) => due > timer.due) + 1;
    this.#timers.splice(index, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  #fire(): void {
    this.work(0);
    this.#timers.pop()!.callback();
  }
}
