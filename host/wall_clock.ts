import type { Clock } from "./types.ts";

/** More than this between the wall clock and the monotonic one is a jump, in milliseconds. */
const JUMP_MS = 1000;

/** Notices that the wall clock was set, or that the machine slept. */
export class WallClock {
  readonly #clock: Clock;
  /** How far the wall clock is ahead of the monotonic one. */
  #aheadMs: number;

  /** Makes one that compares with now. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#aheadMs = clock.wall() - clock.now();
  }

  /** How far the wall clock jumped since the last {@linkcode note}, in milliseconds: less than 0 if back; 0 for small steps. */
  get jumpMs(): number {
    const jumpMs = this.#clock.wall() - this.#clock.now() - this.#aheadMs;
    return Math.abs(jumpMs) > JUMP_MS ? jumpMs : 0;
  }

  /** Compares with now from now on. */
  note(): void {
    this.#aheadMs = this.#clock.wall() - this.#clock.now();
  }
}
