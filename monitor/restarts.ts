import type { Clock } from "@ncolony/host";

/** A process is restarted by messages no more often than this, in milliseconds. */
const MIN_GAP_MS = 1000;

/** What {@linkcode Restarts} need. */
export interface RestartsOptions {
  /** The time. */
  readonly clock: Clock;
  /** Restarts a process. */
  readonly restart: (name: string) => void;
}

/**
 * Passes on what messages ask for: the restart of each process at most once a second. What is asked for sooner waits until
 * then, and however many ask meanwhile, it is one restart.
 */
export class Restarts {
  readonly #options: RestartsOptions;
  /** The processes that were restarted: when each may be again, and whether somebody waits for that. */
  readonly #held = new Map<string, { readonly until: number; isAsked: boolean }>();

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
    if (held !== undefined && this.#options.clock.now() < held.until) held.isAsked = true;
    else this.#restart(name);
  }

  /** Restarts those that wait, and whose second is over. */
  passOn(): void {
    const now = this.#options.clock.now();
    for (const [name, { until, isAsked }] of [...this.#held]) {
      if (now < until) continue;
      this.#held.delete(name);
      if (isAsked) this.#restart(name);
    }
  }

  #restart(name: string): void {
    this.#held.set(name, { until: this.#options.clock.now() + MIN_GAP_MS, isAsked: false });
    this.#options.restart(name);
  }
}
