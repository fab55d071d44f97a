import { joinRequests, type Request } from "@ncolony/core";
import type { Clock } from "@ncolony/host";

/** The minimum time between two restarts of a process by messages, in milliseconds. */
const MIN_GAP_MS = 1000;

/** What {@linkcode Restarts} needs. */
export interface RestartsOptions {
  /** The time. */
  readonly clock: Clock;
  /** Restarts a process, unless it was started after `askedAt`, if that is given. In the clock's milliseconds. */
  readonly restart: (name: string, request: Request, askedAt?: number) => void;
}

/**
 * Passes on the restarts that messages ask for, at most one per process and second. Requests that come sooner wait
 * until the second is over and become one restart, or none if the process was started meanwhile for another reason.
 */
export class Restarts {
  readonly #options: RestartsOptions;
  /** The restarted processes: when each may be restarted again, and what waits for that, or null. */
  readonly #held = new Map<string, { readonly until: number; waiting: Waiting | null }>();

  /** Creates a limiter without requests. */
  constructor(options: RestartsOptions) {
    this.#options = options;
  }

  /** When {@linkcode passOn} must be called, in the clock's milliseconds; Infinity if nothing waits. */
  get due(): number {
    return this.#held.values().reduce((earliest, { until }) => Math.min(earliest, until), Infinity);
  }

  /** Restarts a process now, or when its second is over. */
  ask(name: string, request: Request): void {
    const held = this.#held.get(name);
    const now = this.#options.clock.now();
    if (held === undefined || now >= held.until) return this.#restart(name, request);
    held.waiting = { request: held.waiting === null ? request : joinRequests(held.waiting.request, request), at: now };
  }

  /** Restarts the waiting processes whose second is over. */
  passOn(): void {
    const now = this.#options.clock.now();
    for (const [name, { until, waiting }] of [...this.#held]) {
      if (now < until) continue;
      this.#held.delete(name);
      if (waiting !== null) this.#restart(name, waiting.request, waiting.at);
    }
  }

  #restart(name: string, request: Request, askedAt?: number): void {
    this.#held.set(name, { until: this.#options.clock.now() + MIN_GAP_MS, waiting: null });
    this.#options.restart(name, request, askedAt);
  }
}

/** Requests that wait for the end of a second, and the time of the last one. */
interface Waiting {
  readonly request: Request;
  readonly at: number;
}
