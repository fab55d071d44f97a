import type { Clock, Log } from "@ncolony/host";

/** So many lines are passed on in a second. */
const MAX_LINES = 10;

const SECOND_MS = 1000;

/** A log of what others do, who may do it without end: ten lines a second are passed on, and then how many were not. */
export class LimitedLog implements Log {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #isLimited: () => boolean;
  #since = -Infinity;
  #lines = 0;

  /** Makes one in front of another log; as long as it is not limited, it passes everything on. */
  constructor(log: Log, clock: Clock, isLimited: () => boolean) {
    this.#log = log;
    this.#clock = clock;
    this.#isLimited = isLimited;
  }

  debug(message: string, process?: string): void {
    if (this.#mayPass()) this.#log.debug(message, process);
  }

  info(message: string, process?: string): void {
    if (this.#mayPass()) this.#log.info(message, process);
  }

  warn(message: string, process?: string): void {
    if (this.#mayPass()) this.#log.warn(message, process);
  }

  error(message: string, process?: string): void {
    if (this.#mayPass()) this.#log.error(message, process);
  }

  /** Says how many lines were left out in the last second, once that is over. */
  tick(): void {
    const now = this.#clock.now();
    if (now < this.#since + SECOND_MS) return;
    const lost = this.#lines - MAX_LINES;
    this.#lines = 0;
    this.#since = now;
    if (lost > 0) this.#log.warn(`${lost} more lines about messages were left out`);
  }

  #mayPass(): boolean {
    this.tick();
    return !this.#isLimited() || ++this.#lines <= MAX_LINES;
  }
}
