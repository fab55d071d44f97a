import type { Clock } from "@ncolony/host";

/** A process is restarted by messages no more often than this, in milliseconds. */
const MIN_GAP_MS = 1000;

/** What {@linkcode Restarts} need. */
export interface RestartsOptions {
  /** The time. */
  readonly clock: Clock;
  /** Restarts a process; where `askedAt` is given, unless it was started since then, in the clock's milliseconds. */
  readonly restart: (name: string, askedAt?: number) => void;
}

/**
 * Passes on what messages ask for: the restart of each process at most once a second. What is asked for sooner waits until
 * then, and however many ask meanwhile, it is one restart; or none, where it was started meanwhile anyway.
 */
export class Restarts {
  readonly #options: RestartsOptions;
  /** The processes that were restarted: when each may be again, and when somebody asked for that meanwhile, or null. */
  readonly #held = new Map<string, { readonly until: number; askedAt: number | null }>();

  /** Makes one that was asked for nothing yet. */
  constructor(options: RestartsOptions) {
    this.#options = options;
  }

  /** When {@linkcode passOn} must be called, in the clock's milliseconds; else Infinity. */
  get due(): number {
    return this.#held.values().reduce((earliest, { until }) => Math.min(earliest, until), Infinity);
  }

  /** Restarts a process, now or when its second is over. */
  ask(name: string): void {
    const held = this.#held.get(name);
    const now = this.#options.clock.now();
    if (held !== undefined && now < held.until) held.askedAt = now;
    else this.#restart(name);
  }

  /** Restarts those that wait, and whose second is over. */
  passOn(): void {
    const now = this.#options.clock.now();
    for (const [name, { until, askedAt }] of [...this.#held]) {
      if (now < until) continue;
      this.#held.delete(name);
      if (askedAt !== null) this.#restart(name, askedAt);
    }
  }

  #restart(name: string, askedAt?: number): void {
    this.#held.set(name, { until: this.#options.clock.now() + MIN_GAP_MS, askedAt: null });
    this.#options.restart(name, askedAt);
  }
}
