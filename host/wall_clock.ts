import type { Clock } from "./types.ts";

/** A larger difference between the wall clock and the monotonic clock is a jump, in milliseconds. */
const JUMP_MS = 1000;

/** Detects that the wall clock was set, or that the machine slept. */
export class WallClock {
  readonly #clock: Clock;
  /** How far the wall clock is ahead of the monotonic clock, in milliseconds. */
  #aheadMs: number;

  /** Creates a detector that compares with the present. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#aheadMs = clock.wall() - clock.now();
  }

  /**
   * How far the wall clock jumped since the last {@linkcode note}, in milliseconds: negative if back, 0 for small
   * steps.
   */
  get jumpMs(): number {
    const jumpMs = this.#clock.wall() - this.#clock.now() - this.#aheadMs;
    return Math.abs(jumpMs) > JUMP_MS ? jumpMs : 0;
  }

  /** Starts a new comparison from the present. */
  note(): void {
    this.#aheadMs = this.#clock.wall() - this.#clock.now();
  }
}
