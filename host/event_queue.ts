import { TimeSlice } from "./time_slice.ts";
import type { Clock } from "./types.ts";
import { Waker } from "./waker.ts";

/** A queue with one consumer. Posting an item only queues it: the consumer runs later. */
export class EventQueue<T> {
  readonly #clock: Clock;
  readonly #waker: Waker;
  readonly #urgent: T[] = [];
  readonly #items: T[] = [];
  #slice: TimeSlice;

  /** Creates an empty queue. */
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

  /** Queues items ahead of those that are not urgent. Ends a wait even if there are no items. */
  postUrgent(items: readonly T[]): void {
    this.#urgent.push(...items);
    this.#waker.wake();
  }

  /**
   * Returns the next item as soon as there is one.
   *
   * @param until Returns when to stop waiting, in the clock's milliseconds. Called only before a wait.
   * @returns The item. Null after a wait, and every 10 ms after other work had its turn: time has passed.
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
