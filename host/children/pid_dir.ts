import { fileNameFault } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import { openDirectory } from "../files/directory.ts";
import { replaceFile } from "../files/fresh.ts";
import { readSmallFile } from "../files/open.ts";

/** The longest pid file that is read, in bytes. */
const MAX_FILE_BYTES = 4096;

/** The content of a pid file. */
export interface PidEntry {
  /** The name of the process. */
  readonly name: string;
  /** The pid of its leader. */
  readonly pid: number;
}

/**
 * A directory with one file per running process, which holds its pid in decimal (Python NColony's
 * `TransportDirectoryDict`).
 *
 * Files are written under a new name and renamed into place, so that a planted link is never followed.
 */
export class PidDirectory {
  readonly #path: string;

  /** Creates the directory if it is missing. @throws {Error} If that fails. */
  constructor(path: string) {
    Deno.mkdirSync(path, { recursive: true });
    this.#path = path;
  }

  /** Writes the pid of a process. Returns why that failed, or null. */
  write(name: string, pid: number): string | null {
    try {
      replaceFile(this.#path, name, `${pid}`, 0o644);
      return null;
    } catch (error) {
      return faultOf(error);
    }
  }

  /** Returns whether the file of a process holds this pid. */
  has(name: string, pid: number): boolean {
    try {
      return readSmallFile(join(this.#path, name), MAX_FILE_BYTES) === `${pid}`;
    } catch {
      // It is gone or cannot be read.
      return false;
    }
  }

  /** Removes the file of a process. Returns why that failed, or null. */
  remove(name: string): string | null {
    return discard(join(this.#path, name));
  }

  /** Returns the content of all pid files. */
  entries(): PidEntry[] {
    const directory = openDirectory(this.#path, { maxBytes: MAX_FILE_BYTES, followLinks: false });
    const names = directory.names();
    if ("fault" in names) return [];
    const found: PidEntry[] = [];
    for (const name of names.filter((name) => fileNameFault(name) === null)) {
      const entry = directory.read(name)?.entry;
      const pid = entry && "source" in entry ? parsePid(entry.source) : null;
      if (pid !== null) found.push({ name, pid });
    }
    return found;
  }
}

function parsePid(text: string): number | null {
  if (!/^\d{1,10}\n?$/.test(text)) return null;
  return isPid(Number(text)) ? Number(text) : null;
}

/** Returns whether a value can be the pid of a monitor's child. */
export function isPid(value: unknown): value is number {
  // 1 is never a child, 0 and negative numbers are groups, and Deno.kill() truncates larger ones to 32 bits.
  return typeof value === "number" && Number.isInteger(value) && value > 1 && value < 2 ** 31 && value !== Deno.pid;
}

function discard(path: string): string | null {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return faultOf(error);
  }
  return null;
}
