import { shownText } from "@ncolony/core";
import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { resolve } from "@std/path/posix/resolve";
import { denoClock } from "../clock.ts";
import { faultOf } from "../deno_errors.ts";
import { LOCK_TIMEOUT_MS, lockFile } from "./lock.ts";
import { readSmallFile } from "./open.ts";
import { isMissing, makeOwnDirectory, withoutOptions } from "./own_directory.ts";
import { postFile } from "./post.ts";

/** The longest file that is read, in bytes. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A file in which a program remembers something, for its next start. Its lock is a file beside it. */
export class StateFile {
  readonly #path: string;
  #lock: Disposable | null = null;

  /** Names a file. Nothing is opened yet. */
  constructor(path: string) {
    this.#path = resolve(path);
  }

  /**
   * Creates the directory of the file if it is missing, though not the one above, and locks the file.
   *
   * @returns The text of the file. Null if there is none.
   * @throws {Error} If another program has locked it, if that fails, or if other users may write the directory.
   */
  async open(): Promise<string | null> {
    const directory = dirname(this.#path);
    try {
      if (isMissing(dirname(directory))) throw new Deno.errors.NotFound();
      makeOwnDirectory(directory, {});
      this.#lock = await lockFile(`${this.#path}.lock`, LOCK_TIMEOUT_MS, denoClock);
    } catch (error) {
      throw this.#about(error);
    }
    if (this.#lock === null) throw this.#about(new Error("another program uses it"));
    try {
      return readSmallFile(this.#path, MAX_BYTES);
    } catch (error) {
      throw this.#about(error);
    }
  }

  /** Replaces the file. Returns why that fails, or null. */
  write(text: string): string | null {
    try {
      postFile(dirname(this.#path), basename(this.#path), `${text}\n`);
      return null;
    } catch (error) {
      return faultOf(error);
    }
  }

  /** Releases the lock. */
  close(): void {
    this.#lock?.[Symbol.dispose]();
    this.#lock = null;
  }

  #about(error: unknown): Error {
    const fault = withoutOptions(faultOf(error));
    return new Error(`Cannot use the state file ${JSON.stringify(shownText(this.#path))}: ${fault}`);
  }
}
