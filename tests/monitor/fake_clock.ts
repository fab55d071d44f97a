import type { Clock } from "@ncolony/host";
// A turn of the event loop that takes no time: setTimeout(0) would take 2 ms of it.
import { setImmediate } from "node:timers";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Work that goes on for ever at one instant ends after so many operations. */
const PATIENCE = 5_000_000;

/**
 * A clock that stands still until a test moves it, and that then calls back whoever is due, one after another, in order,
 * with time between two calls for every promise to settle.
 */
export class FakeClock implements Clock {
  /** Timers of more than twice this delay call back so much too early, as coarse ones do. */
  earlyMs = 0;
  /** How far the wall clock was set forward (or back) since the start. */
  wallShiftMs = 0;
  /** Whether whoever gives others their turn waits until this is false again. */
  holdsYields = false;
  /** How many operations may happen at one instant: more can only be an endless loop. */
  patience = PATIENCE;
  /** How many timers have called back. */
  wakeups = 0;
  /** How often somebody gave others their turn. */
  yields = 0;
  #now = 5000;
  #operations = 0;
  /** The soonest last, and of those that are due together the first last. */
  readonly #timers: Timer[] = [];
  /** Whoever gave others their turn, and must wait. */
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
    // After every timer that is due by now, as the real one.
    this.#schedule(0, () => {
      if (this.holdsYields) this.#held.push(resolve);
      else resolve();
    });
    return promise;
  }

  /** When the next timer is due; Infinity where nobody waits for one. */
  get nextDue(): number {
    return this.#timers.at(-1)?.due ?? Infinity;
  }

  /** How many timers wait for their time. */
  get waiting(): number {
    return this.#timers.length;
  }

  /** Notes an operation that took so long: the clock moves on, and nobody is called back meanwhile. */
  work(costMs: number): void {
    if (costMs > 0) this.#moveTo(this.#now + costMs);
    else if (++this.#operations > this.patience) throw new Error("Work goes on for ever without any time passing");
  }

  /** Lets everything happen that happens without time passing. */
  async settle(): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => void setImmediate(resolve));
      if (!this.holdsYields && this.#held.length > 0) { for (const resolve of this.#held.splice(0)) resolve(); }
      else if (this.nextDue <= this.#now) this.#fire();
      else return;
    }
  }

  /** Lets time pass. */
  async advance(byMs: number): Promise<void> {
    await this.advanceTo(this.#now + byMs);
  }

  /** Lets time pass until an instant; work may take it beyond that. */
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
