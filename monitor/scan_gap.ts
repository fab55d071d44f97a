import type { Clock } from "@ncolony/host";

/** The minimum time from the start of a full scan to the next, in milliseconds… */
const MIN_GAP_MS = 100;

/** …which is at least this many times as long as the scan takes… */
const GAP_PER_SCAN = 10;

/** …but, because of that, at most this long, in milliseconds. */
const MAX_GAP_MS = 1000;

/** Keeps full scans apart, because the watch and every message to a group may ask for one. */
export class ScanGap {
  readonly #clock: Clock;
  #until = -Infinity;

  /** Creates a gap that is already over. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When the next scan may start, in the clock's milliseconds. */
  get until(): number {
    return this.#until;
  }

  /** Whether the next scan must wait. */
  get mustWait(): boolean {
    return this.#clock.now() < this.#until;
  }

  /** Runs a scan, and then sets the gap to the next one. */
  async after(scan: () => Promise<void>): Promise<void> {
    const start = this.#clock.now();
    await scan();
    const tookMs = this.#clock.now() - start;
    this.#until = start + Math.max(MIN_GAP_MS, Math.min(GAP_PER_SCAN * tookMs, MAX_GAP_MS));
  }
}
