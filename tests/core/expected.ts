import { MIN_SPAWN_RETRY_MS, MIN_START_GAP_MS, type ProcessEvent, type RestartPolicy, type Spec } from "@ncolony/core";

/**
 * What must run and when, computed without the states of `step()`: only from the requests and the exits of children.
 *
 * The delays count the crashes in a row. The k-th costs minDelay · 2^(k-1), at most the maximum, but the first costs
 * the minimum even if the maximum is less. Every request ends the row, and so does a long life; only a restart of a
 * process that does not run keeps it. Between two starts there are always at least 100 ms.
 */
export class Expected {
  /** What must run, or null. */
  wanted: Spec | null = null;
  /** Since when a child has been running that was not asked to stop; null if there is none. */
  since: number | null = null;
  /** When the last child was started. */
  startedAt = -Infinity;
  /** When the restart delay is over. */
  #due = 0;
  /** Crashes in a row. */
  #deaths = 0;
  readonly #policy: RestartPolicy;

  constructor(policy: RestartPolicy) {
    this.#policy = policy;
  }

  /** The earliest time of the next start. */
  get due(): number {
    return Math.max(this.#due, this.startedAt + MIN_START_GAP_MS);
  }

  /** Records a start. */
  start(now: number): void {
    this.since = now;
    this.startedAt = now;
  }

  /** Records an event. */
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

  /** Checks whether an event asks for what is already wanted. */
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
