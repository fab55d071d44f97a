import type { Clock } from "./types.ts";

/** How long such work keeps others from their turn, in milliseconds. */
const SLICE_MS = 10;

/** A slice of the time of work that may take long: after 10 ms others have theirs. */
export class TimeSlice {
  readonly #clock: Clock;
  #until: number;

  /** Begins one. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#until = clock.now() + SLICE_MS;
  }

  /** Whether it has lasted long enough. */
  get isOver(): boolean {
    return this.#clock.now() >= this.#until;
  }

  /** Gives others their turn, and begins the next one. */
  async yield(): Promise<void> {
    await this.#clock.yield();
    this.#until = this.#clock.now() + SLICE_MS;
  }
}
