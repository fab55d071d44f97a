import { MIN_SPAWN_RETRY_MS, MIN_START_GAP_MS, type ProcessEvent, type RestartPolicy, type Spec } from "@ncolony/core";

/**
 * What must run and when, told without any state: from what was asked for, and from how children ended.
 *
 * The delays count instant deaths in a row. The k-th costs minDelay · 2^(k-1), never more than the maximum, but the first
 * costs the minimum whatever the maximum is. Whatever is asked for ends the row, and so does a long life; only a restart
 * of what does not run leaves it alone. And whatever is asked for, there are 100 ms from each start to the next.
 */
export class Expected {
  /** What is to run, or null. */
  wanted: Spec | null = null;
  /** Since when a child runs that nobody asked to end; null where there is none. */
  since: number | null = null;
  /** When a child was started last. */
  startedAt = -Infinity;
  /** When the delays are over. */
  #due = 0;
  /** Instant deaths in a row. */
  #deaths = 0;
  readonly #policy: RestartPolicy;

  constructor(policy: RestartPolicy) {
    this.#policy = policy;
  }

  /** What is to run is not started sooner. */
  get due(): number {
    return Math.max(this.#due, this.startedAt + MIN_START_GAP_MS);
  }

  /** Takes note of a start. */
  start(now: number): void {
    this.since = now;
    this.startedAt = now;
  }

  /** Takes note of what happens. */
  note(event: ProcessEvent, now: number): void {
    switch (event.type) {
      case "wanted":
        if (this.isMoot(event)) return;
        this.wanted = event.spec;
        return this.#endRow(now);
      case "unwanted":
      case "kill":
        this.wanted = null;
        return this.#endRow(now);
      case "restart":
        if (this.since !== null) return this.#endRow(now);
        this.#due = now;
        return;
      case "leader-exited":
        if (this.since === null) return;
        if (event.exit.type === "failed") return this.#die(now, MIN_SPAWN_RETRY_MS);
        return now - this.since < this.#policy.thresholdMs ? this.#die(now, 0) : this.#endRow(now);
    }
  }

  /** Whether an event asks for what is wanted already. */
  isMoot(event: ProcessEvent): boolean {
    return event.type === "wanted" && event.spec.source === this.wanted?.source;
  }

  #endRow(now: number): void {
    this.#deaths = 0;
    this.since = null;
    this.#due = now;
  }

  #die(now: number, leastMs: number): void {
    const { minDelayMs, maxDelayMs } = this.#policy;
    const delayMs = this.#deaths === 0 ? minDelayMs : Math.min(minDelayMs * 2 ** this.#deaths, maxDelayMs);
    this.#deaths++;
    this.since = null;
    this.#due = now + Math.max(delayMs, leastMs);
  }
}
