import type { Clock, Log } from "@ncolony/host";

/** How many lines are passed on per second. */
const MAX_LINES = 10;

const SECOND_MS = 1000;

/** A log for what other users cause without limit. Passes on ten lines per second, then logs how many were left out. */
export class LimitedLog implements Log {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #isLimited: () => boolean;
  #since = -Infinity;
  #lines = 0;

  /** Creates a log in front of another log. It passes every line on while `isLimited` returns false. */
  constructor(log: Log, clock: Clock, isLimited: () => boolean) {
    this.#log = log;
    this.#clock = clock;
    this.#isLimited = isLimited;
  }

  debug(...line: Parameters<Log["debug"]>): void {
    if (this.#mayPass()) this.#log.debug(...line);
  }

  info(...line: Parameters<Log["info"]>): void {
    if (this.#mayPass()) this.#log.info(...line);
  }

  warn(...line: Parameters<Log["warn"]>): void {
    if (this.#mayPass()) this.#log.warn(...line);
  }

  error(...line: Parameters<Log["error"]>): void {
    if (this.#mayPass()) this.#log.error(...line);
  }

  /** Logs how many lines were left out in the last second, once it is over. */
  tick(): void {
    const now = this.#clock.now();
    if (now < this.#since + SECOND_MS) return;
    const lost = this.#lines - MAX_LINES;
    this.#lines = 0;
    this.#since = now;
    if (lost > 0) this.#log.warn(`${lost} more lines about messages were suppressed`);
  }

  #mayPass(): boolean {
    this.tick();
    return !this.#isLimited() || ++this.#lines <= MAX_LINES;
  }
}
