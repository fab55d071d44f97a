import { type Clock, type MessagesDirectory, RACY_MS } from "@ncolony/host";

/** The minimum pause between scans of a messages directory that is not watched, in milliseconds. */
const POLL_MS = 250;

/** The pause after a scan is at least this many times as long as the scan, so that other programs get the processor. */
const PAUSE_PER_SCAN = 10;

/** Decides when a messages directory that is not watched is scanned. */
export class Poll {
  readonly #clock: Clock;
  readonly #messagesDirectory: MessagesDirectory;
  #due = -Infinity;
  /** The time of the directory's last change if everything in it has been scanned since; null otherwise. */
  #seen: number | null = null;

  /** Creates a poll that is due at once. */
  constructor(clock: Clock, messagesDirectory: MessagesDirectory) {
    this.#clock = clock;
    this.#messagesDirectory = messagesDirectory;
  }

  /** When the next scan is due, in the clock's milliseconds. */
  get due(): number {
    return this.#due;
  }

  /** Makes the next scan happen even if the directory has not changed, because a file in it may have. */
  forget(): void {
    this.#seen = null;
  }

  /** Calls `scan` if the directory may contain something new. `scan` resolves with whether it scanned everything. */
  async scan(scan: () => Promise<boolean>): Promise<void> {
    const start = this.#clock.now();
    const changed = this.#messagesDirectory.changedMs();
    if (changed === null || changed !== this.#seen) {
      const isSettled = changed !== null && Math.abs(this.#clock.wall() - changed) > RACY_MS;
      const sawAll = await scan();
      this.#seen = isSettled && sawAll ? changed : null;
    }
    const now = this.#clock.now();
    this.#due = now + Math.max(POLL_MS, PAUSE_PER_SCAN * (now - start));
  }
}
