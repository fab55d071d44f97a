import type { Clock } from "./types.ts";

/** How long work may keep everything else waiting, in milliseconds. */
const SLICE_MS = 10;

/** A time slice of long work: after 10 ms other work gets its turn. */
export class TimeSlice {
  readonly #clock: Clock;
  #until: number;

  /** Begins the first slice. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#until = clock.now() + SLICE_MS;
  }

  /** Whether the slice is over. */
  get isOver(): boolean {
    return this.#clock.now() >= this.#until;
  }

  /** Lets other work run, then begins the next slice. */
  async yield(): Promise<void> {
    await this.#clock.yield();
    this.#until = this.#clock.now() + SLICE_MS;
  }
}
