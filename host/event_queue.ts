import { TimeSlice } from "./time_slice.ts";
import type { Clock } from "./types.ts";
import { Waker } from "./waker.ts";

/** A queue with one consumer. To post is only to queue: whoever posts goes on, and the consumer has its turn later. */
export class EventQueue<T> {
  readonly #clock: Clock;
  readonly #waker: Waker;
  readonly #urgent: T[] = [];
  readonly #items: T[] = [];
  #slice: TimeSlice;

  /** Makes one that is empty. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#waker = new Waker(clock);
    this.#slice = new TimeSlice(clock);
  }

  /** Queues an item. */
  post(item: T): void {
    this.#items.push(item);
    this.#waker.wake();
  }

  /** Queues items before those that are not urgent, and ends a wait in any case. */
  postUrgent(items: readonly T[]): void {
    this.#urgent.push(...items);
    this.#waker.wake();
  }

  /**
   * Takes the next item, as soon as there is one.
   *
   * @param until Gives the instant at which it waits no longer, in the clock's milliseconds; asked only where it waits.
   * @returns The item; or null where time has passed: it has waited, or given others their turn, as it does every 10 ms.
   */
  async next(until: () => number): Promise<T | null> {
    if (this.#slice.isOver) {
      await this.#slice.yield();
      return null;
    }
    const item = this.#urgent.shift() ?? this.#items.shift();
    if (item !== undefined) return item;
    await this.#waker.wait(until());
    this.#slice = new TimeSlice(this.#clock);
    return null;
  }
}
