import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import type { Clock, TrustOptions } from "../types.ts";
import { freshPath, replaceFile } from "./fresh.ts";
import { LOCK_TIMEOUT_MS } from "./lock.ts";
import { isAt, lstat, removeIfThere } from "./lstat.ts";
import { OwnDirectory } from "./own_directory.ts";
import { isOthers } from "./trust.ts";

/** The group of the directory may read the files. */
const MODE = 0o640;

const LOCKED = "another program holds its lock file";

/** How often to try to get the lock, in milliseconds. */
const RETRY_MS = 20;

/**
 * Directories of files that this program writes and others read. The lock on `.lock` in the first one shows readers that
 * this program lives, and keeps others like it from writing there.
 */
export class Published {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #own: readonly OwnDirectory[];
  #lock: Deno.FsFile | null = null;

  /** Creates the directories that are missing. @throws {Error} If that fails, or if other users may write to one. */
  constructor(paths: readonly [string, ...string[]], trust: TrustOptions, clock: Clock) {
    this.#path = paths[0];
    this.#clock = clock;
    this.#own = paths.map((path) => new OwnDirectory(path, trust, clock));
  }

  /** Takes the lock. A reader may hold it for a moment. Returns why that fails. */
  async lock(): Promise<string | null> {
    const until = this.#clock.now() + LOCK_TIMEOUT_MS;
    for (;;) {
      const fault = this.#tryLock();
      if (fault === null || this.#clock.now() >= until) return fault;
      await new Promise<void>((resolve) => this.#clock.after(RETRY_MS, resolve));
    }
  }

  /** Whether the lock is held, and readers see it. If not, the directories may be new and empty. */
  get isHeld(): boolean {
    try {
      return this.#lock !== null && isAt(join(this.#path, ".lock"), this.#lock.statSync());
    } catch {
      // Without --allow-all, Deno looks for an open file at its path.
      return false;
    }
  }

  /** Creates the directories and takes the lock again if they are gone. Returns why that fails. */
  restore(): string | null {
    for (const own of this.#own) own.forget();
    return this.#try(() => {}) ?? (this.isHeld ? null : this.#tryLock());
  }

  /** Changes files, unless another program holds the lock. Returns why that fails. */
  change(act: () => void): string | null {
    return this.#lock === null ? LOCKED : this.#try(act);
  }

  /** Releases the lock. */
  close(): void {
    this.#lock?.close();
    this.#lock = null;
  }

  /** Creates the directories again if they are gone, and then acts. Returns why that fails. */
  #try(act: () => void): string | null {
    try {
      for (const own of this.#own) own.ensure();
      act();
      return null;
    } catch (error) {
      for (const own of this.#own) own.forget();
      return faultOf(error);
    }
  }

  /** Takes the lock if it is free. Returns why that fails. */
  #tryLock(): string | null {
    const path = join(this.#path, ".lock");
    try {
      const seen = lstat(path);
      if (seen === null || !seen.isFile || isOthers(seen.uid) || seen.nlink !== 1) this.#createLock(path);
      const file = Deno.openSync(path, { read: true, write: true });
      if (file.tryLockSync(true) && isAt(path, file.statSync())) {
        this.#lock?.close();
        this.#lock = file;
        return null;
      }
      file.close();
      return LOCKED;
    } catch (error) {
      return faultOf(error);
    }
  }

  /** Puts a file of this program in place of what is there. */
  #createLock(path: string): void {
    const fresh = freshPath(this.#path);
    Deno.openSync(fresh, { write: true, createNew: true, mode: MODE }).close();
    try {
      Deno.renameSync(fresh, path);
    } catch (error) {
      removeIfThere(fresh);
      throw error;
    }
  }
}

/** Replaces a file for readers in the group of its directory. @throws {Error} If that fails. */
export function publish(directory: string, name: string, text: string): void {
  replaceFile(directory, name, `${text}\n`, MODE);
}
