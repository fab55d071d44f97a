import type { Clock } from "../types.ts";

/** How long the beginning of a line waits for its end, in milliseconds. */
const HELD_MS = 1000;

/** Something that splits a stream into lines, and holds back the beginning of a line. */
export interface LineHolder {
  /** Whether something is held back. */
  readonly isHolding: boolean;
  /** A count that grows when lines end. */
  readonly ended: number;
}

/** Shows the beginning of a line that has not ended after a second, such as a prompt or a progress bar. */
export class Unended {
  readonly #lines: LineHolder;
  readonly #clock: Clock;
  readonly #show: () => void;
  #cancel: (() => void) | null = null;

  /** Creates a timer that calls `show` when `lines` has held the beginning of the same line for a second. */
  constructor(lines: LineHolder, clock: Clock, show: () => void) {
    this.#lines = lines;
    this.#clock = clock;
    this.#show = show;
  }

  /** Starts the timer if a line is held. Call this after each piece of the stream. */
  watch(): void {
    if (this.#cancel !== null || !this.#lines.isHolding) return;
    const { ended } = this.#lines;
    this.#cancel = this.#clock.after(HELD_MS, () => {
      this.#cancel = null;
      // Another line has begun since then.
      if (this.#lines.ended !== ended) return this.watch();
      this.#show();
    });
  }

  /** Stops the timer, because the stream has ended. */
  end(): void {
    this.#cancel?.();
  }
}
