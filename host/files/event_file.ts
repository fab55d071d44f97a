import { parseRecorded } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { publish } from "./published.ts";
import { lstat } from "./lstat.ts";
import { type AppendFile, openAppend, openFile } from "./open.ts";
import { isOthers } from "./trust.ts";

/** How large the file may grow, in bytes. */
const MAX_BYTES = 1024 * 1024;

/** How much of its end is searched for the last event, in bytes. An event takes less. */
const END_BYTES = 262_144;

/** The group of the directory may read the files. */
const MODE = 0o640;

const NEWLINE = new TextEncoder().encode("\n");

/** The name of the file, and of the older one. */
const [NAME, OLD] = [".events", ".events.1"];

/**
 * The file of events in a status directory. Before it grows too large, it is renamed to `.events.1`. No other user may
 * write to the directory.
 */
export class EventFile {
  readonly #directory: string;
  readonly #path: string;
  #file: AppendFile | null = null;

  /** Creates nothing yet. `directory` is the status directory. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, NAME);
  }

  /** Returns the id of the last event. 0 if there is none, or if that cannot be seen. */
  lastId(): number {
    return lastIdIn(this.#path) ?? lastIdIn(join(this.#directory, OLD)) ?? 0;
  }

  /** Appends lines. @throws {Error} If that fails. Some of them may be written then. */
  append(lines: string): void {
    const bytes = new TextEncoder().encode(lines);
    try {
      const { size } = this.#opened();
      if (size > 0 && size + bytes.length > MAX_BYTES) this.#rotate();
      this.#opened().append(bytes);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Closes the file. */
  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  /** Opens the file that is at the path now. */
  #opened(): AppendFile {
    if (this.#file?.isAt(this.#path)) {
      this.#file.updateSize();
      return this.#file;
    }
    this.close();
    const seen = lstat(this.#path);
    // A link, for example, which is older than this monitor.
    const isOurs = seen === null || seen.isFile && !isOthers(seen.uid) && seen.nlink === 1;
    if (!isOurs) publish(this.#directory, NAME, "");
    const file = this.#file = openAppend(this.#path, MODE);
    if (!isEnded(this.#path)) file.append(NEWLINE);
    return file;
  }

  #rotate(): void {
    this.close();
    Deno.renameSync(this.#path, join(this.#directory, OLD));
  }
}

/** Whether the last line of a file has ended. It has not after a full disk, or if the monitor was killed. */
function isEnded(path: string): boolean {
  const last = readEnd(path, 1);
  return last.length === 0 || last[0] === NEWLINE[0];
}

/** Returns the last id in a file. Null if there is none, or if it cannot be read. */
function lastIdIn(path: string): number | null {
  try {
    const lines = new TextDecoder().decode(readEnd(path, END_BYTES)).split("\n");
    return lines.map(parseRecorded).findLast((event) => event !== null)?.id ?? null;
  } catch {
    return null;
  }
}

/** Reads the end of a file. @throws {Error} If that fails. */
function readEnd(path: string, length: number): Uint8Array {
  using file = openFile(path);
  const bytes = new Uint8Array(Math.min(length, file.facts.size));
  return bytes.subarray(0, file.read(bytes, 0, bytes.length, file.facts.size - bytes.length));
}
