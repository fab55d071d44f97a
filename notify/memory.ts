import { type Clock, KnownFaults, type Log, StateFile } from "@ncolony/host";

/** How long a change that is not reported may wait until it is saved, in milliseconds. */
const LAZY_MS = 60_000;

/** How long to wait after a failure, in milliseconds. */
const RETRY_MS = 1000;

/** Remembers what was told, for the next start. */
export class Memory {
  readonly #file: StateFile;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #knownFaults = new KnownFaults();
  #text: string | null = null;
  #dueAt = -Infinity;

  /** Creates a memory in a file. Nothing is opened yet. */
  constructor(path: string, clock: Clock, log: Log) {
    this.#file = new StateFile(path);
    this.#clock = clock;
    this.#log = log;
  }

  /** Locks the file. Returns what it remembers, or null. @throws {Error} If the file cannot be used. */
  async open(): Promise<string | null> {
    return await this.#file.open();
  }

  /** Whether it is time to save what did not have to be reported, too. */
  get isDue(): boolean {
    return this.#clock.now() >= this.#dueAt;
  }

  /** Replaces what is remembered. A fault is logged once. */
  save(text: string): void {
    if (text === this.#text) return;
    const fault = this.#file.write(text);
    if (fault === null) this.#text = text;
    this.#dueAt = this.#clock.now() + (fault === null ? LAZY_MS : RETRY_MS);
    if (!this.#knownFaults.note("write", fault)) return;
    if (fault === null) this.#log.info("what was reported can be saved again");
    else this.#log.error(`cannot save what was reported: ${fault}`);
  }

  /** Releases the file. */
  close(): void {
    this.#file.close();
  }
}
