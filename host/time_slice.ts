import type { Clock } from "./types.ts";

/** How long long work keeps others from their turn, in milliseconds. */
const TURN_MS = 10;

/** The turn of work that may take long: after 10 ms others have theirs. */
export class TimeSlice {
  readonly #clock: Clock;
  #until: number;

  /** Begins one. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#until = clock.now() + TURN_MS;
  }

  /** Whether it has lasted long enough. */
  get isOver(): boolean {
    return this.#clock.now() >= this.#until;
  }

  /** Gives others their turn, and begins the next one. */
  async yield(): Promise<void> {
    await this.#clock.yield();
    this.#until = this.#clock.now() + TURN_MS;
  }
}
