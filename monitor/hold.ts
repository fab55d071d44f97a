import {
  type Directory,
  type Host,
  identifyPlaces,
  type Log,
  type Mailbox,
  Told,
  type Watch,
  type WatchSink,
} from "@ncolony/host";

/** What a hold needs. */
export interface HoldOptions {
  /** Where configs are. */
  readonly config: Directory;
  /** Where messages are. */
  readonly mailbox: Mailbox;
  /** Where it tells what it cannot do. */
  readonly log: Log;
  /** Takes what the watch tells. */
  readonly sink: WatchSink;
}

/**
 * Keeps a watch on the config and the messages directory, and the lock on the latter, also when other directories come to
 * stand at their paths.
 */
export class Hold {
  readonly #host: Pick<Host, "watch" | "lock">;
  readonly #options: HoldOptions;
  readonly #told = new Told();
  #watch: Watch | null = null;
  #lock: Disposable | null = null;
  #watched = "";
  #isClosed = false;
  #locked: string | null = null;

  /** Makes one that holds nothing yet. */
  constructor(host: Pick<Host, "watch" | "lock">, options: HoldOptions) {
    this.#host = host;
    this.#options = options;
  }

  /**
   * Takes hold for the first time.
   *
   * @throws {Error} Where a directory is missing, both are the same, or another monitor holds the lock.
   */
  open(): void {
    const { config, mailbox } = this.#options;
    const ids = identifyPlaces({ config, messages: mailbox });
    this.#lock = this.#host.lock(mailbox.path);
    if (this.#lock === null) {
      throw new Error(`Cannot lock ${JSON.stringify(mailbox.path)}: another monitor runs on these messages`);
    }
    this.#locked = ids.messages;
    this.#rewatch();
  }

  /** Takes hold of what stands at the paths now. Whatever is looked at after that, is watched before it is looked at. */
  async renew(): Promise<void> {
    this.#relock();
    if (this.#watch !== null && this.#identities() === this.#watched) {
      // It has lasted from one look to the next, so it is one that works.
      this.#told.isNews("watch", null);
      return;
    }
    const old = this.#watch;
    this.#watch = null;
    await old?.close();
    if (!this.#isClosed) this.#rewatch();
  }

  /** Lets go. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#lock?.[Symbol.dispose]();
    await this.#watch?.close();
  }

  #identities(): string {
    const { config, mailbox } = this.#options;
    return JSON.stringify([config.identity(), mailbox.identity()]);
  }

  #rewatch(): void {
    this.#watched = this.#identities();
    try {
      this.#watch = this.#watchPresent();
    } catch (error) {
      // No inotify instance is left, or a directory went meanwhile: the looks at everything go on.
      this.#warn(error instanceof Error ? error.message : String(error));
    }
  }

  #watchPresent(): Watch | null {
    const { config, mailbox, sink } = this.#options;
    const present = [config, mailbox].filter((directory) => "id" in directory.identity()).map(({ path }) => path);
    if (present.length === 0) return null;
    // A listing holds named pipes open, which a watch must not meet otherwise.
    for (const directory of [config, mailbox]) directory.names();
    return this.#host.watch(present, {
      ...sink,
      failed: (reason) => {
        this.#watch = null;
        this.#warn(reason);
        sink.failed(reason);
      },
    });
  }

  #warn(fault: string): void {
    if (!this.#told.isNews("watch", fault)) return;
    this.#options.log.warn(
      `cannot watch the directories, so changes are seen only at each look at everything: ${fault}`,
    );
  }

  #relock(): void {
    const { log, mailbox } = this.#options;
    const found = mailbox.identity();
    if ("fault" in found || found.id === this.#locked) return;
    this.#lock?.[Symbol.dispose]();
    this.#lock = null;
    this.#locked = null;
    try {
      this.#lock = this.#host.lock(mailbox.path);
    } catch {
      // It went between the two looks: the next one tells.
      return;
    }
    this.#locked = this.#lock === null ? null : found.id;
    const fault = this.#lock === null ? "another monitor runs on these messages" : null;
    if (this.#told.isNews("lock", fault) && fault !== null) log.error(`cannot lock ${mailbox.path}: ${fault}`);
  }
}
