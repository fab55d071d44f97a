import { type Clock, type MessagesDirectory, RACY_MS } from "@ncolony/host";

/** How often a messages directory that is not watched is looked at, in milliseconds. */
const POLL_MS = 250;

/** A look that takes long is followed by a pause of so many times that, so that others have the processor. */
const PAUSE_PER_LOOK = 10;

/** Says when a messages directory that is not watched is to be looked at. */
export class Poll {
  readonly #clock: Clock;
  readonly #messagesDirectory: MessagesDirectory;
  #due = -Infinity;
  /** The time of the directory's last change, where all that it held then has been looked at. */
  #seen: number | null = null;

  /** Makes one that is due at once. */
  constructor(clock: Clock, messagesDirectory: MessagesDirectory) {
    this.#clock = clock;
    this.#messagesDirectory = messagesDirectory;
  }

  /** When it is due, in the clock's milliseconds. */
  get due(): number {
    return this.#due;
  }

  /** Looks the next time, whether or not the directory has changed: a file in it may have. */
  forget(): void {
    this.#seen = null;
  }

  /** Looks, where the directory may hold what was not looked at; `look` gives whether it looked at all of it. */
  async scan(scan: () => Promise<boolean>): Promise<void> {
    const start = this.#clock.now();
    const changed = this.#messagesDirectory.changedMs();
    if (changed === null || changed !== this.#seen) {
      const isSettled = changed !== null && Math.abs(this.#clock.wall() - changed) > RACY_MS;
      const sawAll = await scan();
      this.#seen = isSettled && sawAll ? changed : null;
    }
    const now = this.#clock.now();
    this.#due = now + Math.max(POLL_MS, PAUSE_PER_LOOK * (now - start));
  }
}
