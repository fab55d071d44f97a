import type { Clock } from "@ncolony/host";

/** However often somebody asks for it, everything is looked at no more often than this, in milliseconds… */
const MIN_GAP_MS = 100;

/** …nor, where a look takes long, for more of the time than one part of so many… */
const GAP_PER_LOOK = 10;

/** …unless so long has passed. */
const MAX_GAP_MS = 1000;

/** Keeps looks at everything apart, for many may ask for them: the watch, and every message to a group. */
export class ScanGap {
  readonly #clock: Clock;
  #until = -Infinity;

  /** Makes one that has begun with nothing. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When the next look may begin, in the clock's milliseconds. */
  get until(): number {
    return this.#until;
  }

  /** Whether the next look must wait. */
  get mustWait(): boolean {
    return this.#clock.now() < this.#until;
  }

  /** Looks, after which the gap begins. */
  async after(scan: () => Promise<void>): Promise<void> {
    const start = this.#clock.now();
    await scan();
    const tookMs = this.#clock.now() - start;
    this.#until = start + Math.max(MIN_GAP_MS, Math.min(GAP_PER_LOOK * tookMs, MAX_GAP_MS));
  }
}
