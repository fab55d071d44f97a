import { quotedName } from "@ncolony/core";
import {
  describeError,
  type Directory,
  type DirectoryLock,
  type Host,
  identifyPlaces,
  type Identity,
  KnownFaults,
  LOCK_TIMEOUT_MS,
  type Log,
  type MessagesDirectory,
  type Watch,
  type WatchListener,
} from "@ncolony/host";
import { findConfig } from "./swapped.ts";

/** What {@linkcode DirectoryGuard} needs. */
export interface DirectoryGuardOptions {
  /** The config directory. */
  readonly config: Directory;
  /** The messages directory. */
  readonly messagesDirectory: MessagesDirectory;
  /** The directories of the monitor's own files, by their use. */
  readonly own: Readonly<Record<string, Directory>>;
  /** The log. */
  readonly log: Log;
  /** Takes the events of the watch. */
  readonly listener: WatchListener;
}

/** Which directories are at the two paths. */
interface Standing {
  readonly config: Identity;
  readonly messages: Identity;
  /** Whether other users may write the messages directory or its path. Deno's watch would open any file they create. */
  readonly isShared: boolean;
}

/**
 * Keeps a watch on the config and messages directories and a lock on the messages directory, even if they are replaced
 * by other directories. Messages are taken only from the locked directory.
 */
export class DirectoryGuard {
  readonly #host: Pick<Host, "watch" | "lock">;
  readonly #options: DirectoryGuardOptions;
  readonly #knownFaults = new KnownFaults();
  #watch: Watch | null = null;
  /** The directories at the paths when the watch was created, as JSON. */
  #watched = "";
  #lock: DirectoryLock | null = null;
  /** The id of the locked directory. */
  #locked = "";
  #isShared = false;
  #isClosed = false;

  /** Creates a guard. */
  constructor(host: Pick<Host, "watch" | "lock">, options: DirectoryGuardOptions) {
    this.#host = host;
    this.#options = options;
  }

  /** Whether messages may be taken. */
  get hasMessages(): boolean {
    if (this.#lock === null) return false;
    const { messagesDirectory } = this.#options;
    if (this.#lock.isPinned || messagesDirectory.stands(this.#locked)) return true;
    const found = messagesDirectory.identity();
    // If there is no directory, there are no messages to take.
    return "fault" in found && !found.isUntrusted;
  }

  /** Whether other users may write the messages directory. Then it is not watched and must be polled. */
  get isShared(): boolean {
    return this.#isShared;
  }

  /**
   * Takes the lock. The first {@linkcode renew} starts the watch.
   *
   * @returns A promise that rejects if another monitor holds the lock, or the messages directory contains a config.
   * @throws {Error} If a directory is missing or may not be used, or two are the same.
   */
  open(): Promise<void> {
    const { config, messagesDirectory, own } = this.#options;
    return this.#open(identifyPlaces({ config, messages: messagesDirectory, own }).messages);
  }

  /** Locks and watches the directories that are at the paths now. Called before a scan, so that it misses no change. */
  async renew(): Promise<void> {
    const messages = this.#options.messagesDirectory.identity();
    await this.#relock(messages);
    if (this.#isClosed) return;
    const standing = this.#standing(messages);
    const old = this.#watch;
    if (old !== null && JSON.stringify(standing) === this.#watched) {
      // The watch has lasted from one scan to the next, so it works.
      if (old.check()) return void this.#knownFaults.note("watch", null);
      this.#watch = null;
      old.close();
    } else {
      this.#watch = null;
      await old?.close();
    }
    if (!this.#isClosed) this.#rewatch(standing);
  }

  /** Ensures that no named pipe blocks the watch. */
  holdFifos(): void {
    this.#watch?.holdFifos();
  }

  /** Releases the lock and closes the watch. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#lock?.[Symbol.dispose]();
    this.#lock = null;
    await this.#watch?.close();
  }

  async #open(id: string): Promise<void> {
    const { log, messagesDirectory } = this.#options;
    const path = JSON.stringify(messagesDirectory.path);
    const lock = await this.#host.lock(messagesDirectory.path, LOCK_TIMEOUT_MS);
    if (lock === null) throw new Error(`Cannot lock ${path}: another monitor uses this messages directory`);
    this.#use(lock, id);
    this.#isShared = messagesDirectory.isShared();
    // Files of other users must not prevent the start of a monitor.
    const config = this.#isShared ? null : findConfig(messagesDirectory);
    if (config !== null) {
      await this.close();
      throw new Error(
        `Cannot use directory ${path} for messages: it contains the config ${quotedName(config)}; ` +
          "did you swap --config and --messages?",
      );
    }
    if (lock.fault !== null) {
      log.warn(`cannot lock the messages directory: ${lock.fault}; a second monitor that uses it would not be noticed`);
    }
  }

  #use(lock: DirectoryLock, id: string): void {
    this.#lock?.[Symbol.dispose]();
    this.#lock = lock;
    this.#locked = id;
    this.#options.messagesDirectory.use(lock.isPinned ? lock.path : null);
  }

  #standing(messages: Identity): Standing {
    const { config, messagesDirectory } = this.#options;
    this.#isShared = messagesDirectory.isShared() || "fault" in messages && messages.isUntrusted === true;
    return { config: config.identity(), messages, isShared: this.#isShared };
  }

  #rewatch(standing: Standing): void {
    this.#watched = JSON.stringify(standing);
    try {
      this.#watch = this.#watchPresent(standing);
    } catch (error) {
      // No inotify instance is left, or a directory has disappeared. Full scans continue.
      this.#warn(describeError(error));
    }
  }

  #watchPresent(standing: Standing): Watch | null {
    const { config, messagesDirectory, listener } = this.#options;
    const present = [
      ...("id" in standing.config ? [config.path] : []),
      ...("id" in standing.messages && !standing.isShared ? [messagesDirectory.path] : []),
    ];
    if (present.length === 0) return null;
    const failed = (reason: string) => {
      this.#watch = null;
      this.#warn(reason);
      listener.failed(reason);
    };
    return this.#host.watch(present, { ...listener, failed }, this.#probe(standing));
  }

  /** The file that tests whether the watch answers: the lock file, or null if other users could replace it. */
  #probe({ isShared }: Standing): string | null {
    return this.#lock !== null && this.#lock.fault === null && (this.#lock.isPinned || !isShared)
      ? this.#lock.file
      : null;
  }

  #warn(fault: string): void {
    if (!this.#knownFaults.note("watch", fault)) return;
    this.#options.log.warn(
      `cannot watch the directories: ${fault}; changes are only seen at the next full scan (--frequency)`,
    );
  }

  /** Locks the directory that is at the path now. If that fails, keeps the previous one. */
  async #relock(found: Identity): Promise<void> {
    const { log, messagesDirectory } = this.#options;
    const untrusted = "fault" in found && found.isUntrusted ? found.fault : null;
    if (this.#knownFaults.note("messages", untrusted) && untrusted !== null) {
      log.error(
        `cannot use the new messages directory ${messagesDirectory.path}: ${untrusted}; the old one stays in use`,
      );
    }
    if ("fault" in found) return;
    const isLocked = this.#lock !== null && found.id === this.#locked;
    if (isLocked && (this.#lock!.isHeld || this.#lock!.fault !== null)) return;
    const lock = await this.#tryLock();
    if (lock === undefined) return;
    if (this.#isClosed) return lock?.[Symbol.dispose]();
    if (lock !== null) this.#use(lock, found.id);
    else if (isLocked) {
      // The lock file was removed, and another monitor has created its own.
      this.#lock![Symbol.dispose]();
      this.#lock = null;
    }
    const fault = lock === null ? "another monitor uses this messages directory" : null;
    if (this.#knownFaults.note("lock", fault) && fault !== null) {
      log.error(`cannot lock ${messagesDirectory.path}: ${fault}`);
    }
  }

  async #tryLock(): Promise<DirectoryLock | null | undefined> {
    try {
      return await this.#host.lock(this.#options.messagesDirectory.path, 0);
    } catch {
      // The directory has just disappeared. The next scan will report it.
      return undefined;
    }
  }
}
