import { isSameLife, type Life, type ProcessEvent } from "@ncolony/core";
import { type Check, type CheckParts, WallClock } from "@ncolony/host";
import { Hearts } from "./hearts.ts";

/** Requests restarts of processes whose heartbeat is overdue. */
export class BeatCheck implements Check {
  readonly due = Infinity;
  readonly #parts: CheckParts;
  readonly #hearts: Hearts;
  /** When each restart was requested, or its request last seen unread, in milliseconds since 1970. */
  readonly #askedAt = new Map<string, number>();
  /** The lives in which a restart was requested. They are about to end. */
  readonly #asked = new Map<string, Life>();
  /** The starts that were found silent, by their numbers; null if unknown. */
  readonly #silent = new Map<string, number | null>();
  #startedAt: number;
  readonly #wallClock: WallClock;

  /** Creates a checker that is started now. */
  constructor(parts: CheckParts) {
    const { clock, directory, log } = parts;
    this.#parts = parts;
    this.#hearts = new Hearts(directory, log);
    this.#startedAt = clock.wall();
    this.#wallClock = new WallClock(clock);
  }

  onEvent(name: string, event: ProcessEvent): void {
    if (event.type === "unwanted") {
      this.#askedAt.delete(name);
      this.#asked.delete(name);
      this.#silent.delete(name);
      this.#parts.lives.forget(name);
    }
    this.#hearts.onEvent(name, event);
    const refused = this.#hearts.whyRefused(name);
    if (refused !== null || this.#hearts.has(name)) this.#parts.health.expect(name, refused);
    else this.#parts.health.forget(name);
  }

  check(): void {
    const { clock, lives, requests } = this.#parts;
    const now = clock.wall();
    this.#checkClock(now);
    // The grace begins when the monitor has read the request. That may be long after it was written.
    for (const name of requests.pending()) this.#askedAt.set(name, now);
    const bornAtOf = (name: string) => {
      const life = lives.of(name);
      return life.type === "up" ? now - (clock.now() - life.since) : null;
    };
    const reasons = new Map<string, string>();
    const judged = new Map<string, Life>();
    for (const { name, periodMs } of this.#hearts.silent(this.#startedAt, now, this.#askedAt, bornAtOf)) {
      const life = lives.of(name);
      if (!this.#mayBeAsked(name, life)) continue;
      judged.set(name, life);
      reasons.set(name, silence(periodMs));
      this.#silent.set(name, lives.startOf(name)?.incarnation ?? null);
    }
    for (const name of requests.askAll(reasons)) {
      this.#askedAt.set(name, now);
      this.#asked.set(name, judged.get(name)!);
    }
    this.#tellHealth(now, bornAtOf);
  }

  #tellHealth(now: number, bornAtOf: (name: string) => number | null): void {
    const { lives, health } = this.#parts;
    if (!health.isKept) return;
    for (const { name, periodMs, beatAt, fault } of this.#hearts.all()) {
      const life = lives.of(name);
      if (life.type === "down") continue;
      const start = lives.startOf(name);
      if (start?.isOfConfig === false) continue;
      const bornAt = bornAtOf(name) ?? start?.at ?? -Infinity;
      const incarnation = start?.incarnation ?? null;
      const wasSilent = this.#silent.get(name) === incarnation;
      if (beatAt !== null && beatAt >= bornAt && beatAt + periodMs >= now) {
        this.#silent.delete(name);
        health.report(name, { isHealthy: true, last: beatAt, reason: null, incarnation });
      } else if (wasSilent) {
        health.report(name, { isHealthy: false, last: beatAt, reason: silence(periodMs), incarnation });
      } else health.report(name, { isHealthy: null, last: beatAt, reason: fault, incarnation });
    }
  }

  /** Returns whether a process may be running, and no restart was requested since it was started. */
  #mayBeAsked(name: string, life: Life): boolean {
    if (life.type === "unknown") return true;
    const asked = this.#asked.get(name);
    return life.type === "up" && !(asked && isSameLife(asked, life));
  }

  close(): void {}

  /** Begins every grace again if the clock jumped: file times cannot be compared with it any more. */
  #checkClock(now: number): void {
    const { jumpMs } = this.#wallClock;
    this.#wallClock.note();
    if (jumpMs === 0) return;
    this.#startedAt = now;
    this.#askedAt.clear();
    const seconds = (jumpMs / 1000).toFixed(1);
    this.#parts.log.warn(
      `the clock jumped by ${seconds} s, or the machine was suspended: every grace period starts again`,
    );
  }
}

function silence(periodMs: number): string {
  return `no heartbeat for ${periodMs / 1000} s`;
}
