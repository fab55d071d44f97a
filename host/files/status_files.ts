import { fileNameFault } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import type { Clock, StatusFiles, TrustOptions } from "../types.ts";
import { freshPath, replaceFile } from "./fresh.ts";
import { LOCK_TIMEOUT_MS } from "./lock.ts";
import { isAt, lstat, removeIfThere } from "./lstat.ts";
import { readSmallFile } from "./open.ts";
import { OwnDirectory } from "./own_directory.ts";
import { isOthers } from "./trust.ts";

/** The group of the directory may read the files. */
const MODE = 0o640;

/** The longest file that is read, in bytes. */
const MAX_BYTES = 262_144;

const LOCKED = "another program holds its lock file";

/** How often to try to get the lock, in milliseconds. */
const RETRY_MS = 20;

/** The files that a monitor writes about its processes and itself. */
export class DenoStatusFiles implements StatusFiles {
  readonly path: string;
  readonly #history: string;
  readonly #clock: Clock;
  readonly #own: readonly OwnDirectory[];
  #lock: Deno.FsFile | null = null;

  /** Creates the directory if it is missing. @throws {Error} If that fails, or if other users may write it. */
  constructor(path: string, trust: TrustOptions, clock: Clock) {
    this.path = path;
    this.#history = join(path, ".history");
    this.#clock = clock;
    this.#own = [path, this.#history].map((path) => new OwnDirectory(path, trust, clock));
  }

  async lock(): Promise<string | null> {
    const until = this.#clock.now() + LOCK_TIMEOUT_MS;
    for (;;) {
      const fault = this.#tryLock();
      if (fault === null || this.#clock.now() >= until) return fault;
      await new Promise<void>((resolve) => this.#clock.after(RETRY_MS, resolve));
    }
  }

  names(): string[] | string {
    try {
      return [...Deno.readDirSync(this.path)].map(({ name }) => name).filter((name) => fileNameFault(name) === null);
    } catch (error) {
      return faultOf(error);
    }
  }

  read(name: string): { readonly status: string; readonly history: string } | null {
    try {
      const status = readSmallFile(join(this.path, name), MAX_BYTES);
      return status === null ? null : { status, history: readSmallFile(join(this.#history, name), MAX_BYTES) ?? "" };
    } catch {
      // It cannot be read, so it cannot be continued.
      return null;
    }
  }

  write(name: string, { status, history }: { readonly status: string; readonly history: string }): string | null {
    return this.#tryLocked(() => {
      this.#replace(this.#history, name, history);
      this.#replace(this.path, name, status);
    });
  }

  writeOwn(name: ".monitor" | ".usage", text: string): string | null {
    return this.#tryLocked(() => this.#replace(this.path, name, text));
  }

  remove(name: string): string | null {
    return this.#tryLocked(() => {
      for (const directory of [this.path, this.#history]) {
        if (lstat(join(directory, name)) !== null) Deno.removeSync(join(directory, name));
      }
    });
  }

  restore(): string | null {
    return this.#try(() => {}) ?? (this.#isLocked() ? null : this.#tryLock());
  }

  close(): void {
    this.#lock?.close();
    this.#lock = null;
  }

  /** Writes, unless another monitor writes there. Returns why that fails. */
  #tryLocked(write: () => void): string | null {
    return this.#lock === null ? LOCKED : this.#try(write);
  }

  /** Creates the directories again if they are gone, and then writes. Returns why that fails. */
  #try(write: () => void): string | null {
    try {
      for (const own of this.#own) own.ensure();
      write();
      return null;
    } catch (error) {
      for (const own of this.#own) own.forget();
      return faultOf(error);
    }
  }

  #replace(directory: string, name: string, text: string): void {
    replaceFile(directory, name, `${text}\n`, MODE);
  }

  /** Whether the lock file is still the one that is locked. */
  #isLocked(): boolean {
    try {
      return this.#lock !== null && isAt(join(this.path, ".lock"), this.#lock.statSync());
    } catch {
      // Without --allow-all, Deno looks for an open file at its path.
      return false;
    }
  }

  /** Takes the lock if it is free. Returns why that fails. */
  #tryLock(): string | null {
    const path = join(this.path, ".lock");
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
    const fresh = freshPath(this.path);
    Deno.openSync(fresh, { write: true, createNew: true, mode: MODE }).close();
    try {
      Deno.renameSync(fresh, path);
    } catch (error) {
      removeIfThere(fresh);
      throw error;
    }
  }
}
