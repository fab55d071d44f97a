import { fileNameFault, isObject, type JsonObject, parseStatus, type ToldStatus } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { namesIn, readTextFile } from "./post.ts";

/** The longest file that is read, in bytes. */
const MAX_BYTES = 262_144;

/** What a status directory tells about one process. */
export interface ToldProcess extends ToldStatus {
  /** The text of its file. */
  readonly text: string;
}

/** Reads a status directory. It changes nothing there, and holds the lock for no longer than a look takes. */
export class StatusReader {
  /** The directory. */
  readonly path: string;

  /** Creates a reader. */
  constructor(path: string) {
    this.path = path;
  }

  /** Returns whether the monitor that writes there lives. Null if that cannot be seen. */
  isAlive(): boolean | null {
    const path = join(this.path, ".lock");
    try {
      if (!Deno.lstatSync(path).isFile) return null;
      using file = Deno.openSync(path, { read: true });
      if (!file.tryLockSync(false)) return true;
      file.unlockSync();
      return false;
    } catch (error) {
      return error instanceof Deno.errors.NotFound ? false : null;
    }
  }

  /** Returns the names of all processes with a status, sorted. Null if there is no such directory. */
  names(): string[] | null {
    return namesIn(this.path)?.filter((name) => fileNameFault(name) === null).sort() ?? null;
  }

  /** Returns the status of a process. Null if there is none. @throws {Error} If it cannot be read. */
  process(name: string): ToldProcess | null {
    const text = this.#read(name);
    const told = text === null ? null : parseStatus(text);
    return text === null || told === null ? null : { ...told, text };
  }

  /** Returns the events of a process, and its last lines of stderr. @throws {Error} If they cannot be read. */
  history(name: string): { readonly events: readonly JsonObject[]; readonly stderr: readonly string[] } {
    const { history, stderr } = this.json(".history", name) ?? {};
    return {
      events: Array.isArray(history) ? history.filter(isObject) : [],
      stderr: Array.isArray(stderr) ? stderr.filter((line) => typeof line === "string") : [],
    };
  }

  /** Returns the content of another file, such as `.monitor`. Null if there is none. @throws {Error} If it cannot be read. */
  json(...path: string[]): JsonObject | null {
    const text = this.#read(...path);
    try {
      const value = text === null ? null : JSON.parse(text);
      return isObject(value) ? value : null;
    } catch {
      // Another program wrote it.
      return null;
    }
  }

  #read(...path: string[]): string | null {
    try {
      return readTextFile(join(this.path, ...path), MAX_BYTES);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }
}
