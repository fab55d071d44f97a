import { quotedName } from "@ncolony/core";
import {
  describeError,
  type Directory,
  type DirectoryLock,
  type Host,
  identifyPlaces,
  type Identity,
  KnownFaults,
  LOCK_PATIENCE_MS,
  type Log,
  type MessagesDirectory,
  type Watch,
  type WatchListener,
} from "@ncolony/host";
import { findConfig } from "./swapped.ts";

/** What a hold needs. */
export interface DirectoryGuardOptions {
  /** Where configs are. */
  readonly config: Directory;
  /** Where messages are. */
  readonly messagesDirectory: MessagesDirectory;
  /** Where the monitor's own files go, by what they are. */
  readonly own: Readonly<Record<string, Directory>>;
  /** Where it tells what it cannot do. */
  readonly log: Log;
  /** Takes what the watch tells. */
  readonly listener: WatchListener;
}

/** What stands at the two paths. */
interface Standing {
  readonly config: Identity;
  readonly messages: Identity;
  /** Whether others may write the messages directory, or the way there: Deno's watch would open all that they name. */
  readonly isShared: boolean;
}

/**
 * Keeps a watch on the config and the messages directory, and the lock on the latter, also when other directories come to
 * stand at their paths. Messages are taken from the directory that is locked, and from no other.
 */
export class DirectoryGuard {
  readonly #host: Pick<Host, "watch" | "lock">;
  readonly #options: DirectoryGuardOptions;
  readonly #knownFaults = new KnownFaults();
  #watch: Watch | null = null;
  /** What stood there when the watch was made. */
  #watched = "";
  #lock: DirectoryLock | null = null;
  /** Which directory is locked. */
  #locked = "";
  #isShared = false;
  #isClosed = false;

  /** Makes one that holds nothing yet. */
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
    // Where nothing stands, nothing can be taken.
    return "fault" in found && !found.isUntrusted;
  }

  /** Whether the messages directory is not watched, since others may write it: then it is to be looked at often. */
  get isShared(): boolean {
    return this.#isShared;
  }

  /**
   * Takes hold for the first time: of the lock, and of the watch at the first {@linkcode renew}.
   *
   * @returns What rejects where another monitor holds the lock, or the messages directory is one of configs.
   * @throws {Error} Where a directory is missing or may not be used, or both are the same.
   */
  open(): Promise<void> {
    const { config, messagesDirectory, own } = this.#options;
    return this.#open(identifyPlaces({ config, messages: messagesDirectory, own }).messages);
  }

  /** Takes hold of what stands at the paths now. Whatever is looked at after that, is watched before it is looked at. */
  async renew(): Promise<void> {
    const messages = this.#options.messagesDirectory.identity();
    await this.#relock(messages);
    if (this.#isClosed) return;
    const standing = this.#standing(messages);
    const old = this.#watch;
    if (old !== null && JSON.stringify(standing) === this.#watched) {
      // It has lasted from one look to the next, so it is one that works.
      if (old.check()) return void this.#knownFaults.note("watch", null);
      this.#watch = null;
      old.close();
    } else {
      this.#watch = null;
      await old?.close();
    }
    if (!this.#isClosed) this.#rewatch(standing);
  }

  /** Sees that no named pipe makes the watch wait. */
  holdFifos(): void {
    this.#watch?.holdFifos();
  }

  /** Lets go. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#lock?.[Symbol.dispose]();
    this.#lock = null;
    await this.#watch?.close();
  }

  async #open(id: string): Promise<void> {
    const { log, messagesDirectory } = this.#options;
    const path = JSON.stringify(messagesDirectory.path);
    const lock = await this.#host.lock(messagesDirectory.path, LOCK_PATIENCE_MS);
    if (lock === null) throw new Error(`Cannot lock ${path}: another monitor runs on these messages`);
    this.#use(lock, id);
    this.#isShared = messagesDirectory.isShared();
    // What others put there keeps no monitor from its start.
    const config = this.#isShared ? null : findConfig(messagesDirectory);
    if (config !== null) {
      await this.close();
      throw new Error(
        `Cannot use directory ${path} for messages: ${quotedName(config)} in it is a config: ` +
          "did you swap --config and --messages?",
      );
    }
    if (lock.fault !== null) {
      log.warn(`cannot lock the messages directory, so another monitor on it would not be noticed: ${lock.fault}`);
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
      // No inotify instance is left, or a directory went meanwhile: the looks at everything go on.
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

  /** The file by which the watch is asked whether it answers: the lock's, unless others could put another in its place. */
  #probe({ isShared }: Standing): string | null {
    return this.#lock !== null && this.#lock.fault === null && (this.#lock.isPinned || !isShared)
      ? this.#lock.file
      : null;
  }

  #warn(fault: string): void {
    if (!this.#knownFaults.note("watch", fault)) return;
    this.#options.log.warn(
      `cannot watch the directories, so changes are seen only at each look at everything: ${fault}`,
    );
  }

  /** Locks the directory that stands at the path now; where that cannot be done, goes on with the one before. */
  async #relock(found: Identity): Promise<void> {
    const { log, messagesDirectory } = this.#options;
    const untrusted = "fault" in found && found.isUntrusted ? found.fault : null;
    if (this.#knownFaults.note("messages", untrusted) && untrusted !== null) {
      log.error(`the messages directory ${messagesDirectory.path} ${untrusted}: the one that was locked stays in use`);
    }
    if ("fault" in found) return;
    const isLocked = this.#lock !== null && found.id === this.#locked;
    if (isLocked && (this.#lock!.isHeld || this.#lock!.fault !== null)) return;
    const lock = await this.#tryLock();
    if (lock === undefined) return;
    if (this.#isClosed) return lock?.[Symbol.dispose]();
    if (lock !== null) this.#use(lock, found.id);
    else if (isLocked) {
      // Somebody removed the lock file, and another monitor has made its own.
      this.#lock![Symbol.dispose]();
      this.#lock = null;
    }
    const fault = lock === null ? "another monitor runs on these messages" : null;
    if (this.#knownFaults.note("lock", fault) && fault !== null) {
      log.error(`cannot lock ${messagesDirectory.path}: ${fault}`);
    }
  }

  async #tryLock(): Promise<DirectoryLock | null | undefined> {
    try {
      return await this.#host.lock(this.#options.messagesDirectory.path, 0);
    } catch {
      // It went between the two looks: the next one tells.
      return undefined;
    }
  }
}
