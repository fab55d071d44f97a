import type { Clock } from "../types.ts";

/** So long the beginning of a line waits for its end, in milliseconds. */
const HELD_MS = 1000;

/** What cuts a stream into lines, and holds the beginning of a line back. */
export interface LineHolder {
  /** Whether something is held back. */
  readonly isHolding: boolean;
  /** Grows with the lines that have ended. */
  readonly ended: number;
}

/** Has the beginning of a line shown that has not ended after a second: a prompt, or how far something is. */
export class Unended {
  readonly #lines: LineHolder;
  readonly #clock: Clock;
  readonly #show: () => void;
  #cancel: (() => void) | null = null;

  /** Makes one that calls `show` when `lines` has held the beginning of one and the same line for a second. */
  constructor(lines: LineHolder, clock: Clock, show: () => void) {
    this.#lines = lines;
    this.#clock = clock;
    this.#show = show;
  }

  /** Call it after each piece of the stream. */
  watch(): void {
    if (this.#cancel !== null || !this.#lines.isHolding) return;
    const { ended } = this.#lines;
    this.#cancel = this.#clock.after(HELD_MS, () => {
      this.#cancel = null;
      // Another line has begun since.
      if (this.#lines.ended !== ended) return this.watch();
      this.#show();
    });
  }

  /** The stream has ended. */
  end(): void {
    this.#cancel?.();
  }
}
