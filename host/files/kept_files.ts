import { join } from "@std/path/posix/join";
import type { FileStamp } from "../types.ts";
import { isSameStamp, RACY_MS, stampOf } from "./file_stamp.ts";
import { lstat } from "./lstat.ts";

/** What a file said when it was last read. */
interface Kept<T> {
  readonly stamp: FileStamp;
  /** When it was read, in milliseconds since 1970. */
  readonly readMs: number;
  readonly value: T;
}

/** The stamp of a directory that does not exist. */
const NOWHERE: FileStamp = { marks: [], changedMs: 0 };

/** What the files of a directory say. Each is read again only after it was replaced. */
export class KeptFiles<T> {
  readonly #path: string;
  readonly #names: () => readonly string[] | null;
  readonly #read: (name: string) => T | null;
  readonly #files = new Map<string, Kept<T>>();
  #directory: Kept<boolean> | null = null;
  #sorted: readonly string[] | null = null;

  /**
   * Creates a reader that has read nothing yet.
   *
   * @param path The directory.
   * @param names Lists the names of files to read. Null if there is no such directory.
   * @param read Reads a file. Null if it does not exist.
   */
  constructor(path: string, names: () => readonly string[] | null, read: (name: string) => T | null) {
    this.#path = path;
    this.#names = names;
    this.#read = read;
  }

  /** Reads one file, if it changed. @throws {Error} If it cannot be seen. */
  touch(name: string, nowMs: number): void {
    const info = lstat(join(this.#path, name));
    const before = this.#files.get(name);
    if (info === null) return this.#forget(name);
    const stamp = stampOf(info);
    if (before !== undefined && !mayDiffer(before, stamp)) return;
    const value = this.#read(name);
    if (value === null) return this.#forget(name);
    if (before === undefined) this.#sorted = null;
    this.#files.set(name, { stamp, readMs: nowMs, value });
  }

  /**
   * Reads all files that changed. If the directory did not change, none of them was replaced.
   *
   * @param nowMs The time, in milliseconds since 1970.
   * @throws {Error} If the directory cannot be read.
   */
  update(nowMs: number): void {
    const info = lstat(this.#path);
    const stamp = info === null ? NOWHERE : stampOf(info);
    if (!mayDiffer(this.#directory, stamp)) return;
    const names = this.#names();
    const there = new Set(names);
    for (const name of this.#files.keys()) if (!there.has(name)) this.#forget(name);
    for (const name of there) this.touch(name, nowMs);
    this.#directory = { stamp, readMs: nowMs, value: names !== null };
  }

  /** Whether there is such a directory. */
  get exists(): boolean {
    return this.#directory?.value ?? false;
  }

  /** Which directory this is: another one may have taken its place. Null if there is none. */
  get inode(): number | string | null {
    return this.#directory?.stamp.marks[0] ?? null;
  }

  /** The names of the files, sorted. */
  get names(): readonly string[] {
    return this.#sorted ??= [...this.#files.keys()].sort();
  }

  /** Returns what a file says. Undefined if there is none. */
  get(name: string): T | undefined {
    return this.#files.get(name)?.value;
  }

  #forget(name: string): void {
    if (this.#files.delete(name)) this.#sorted = null;
  }
}

/** Whether something may have changed since it was last read. Time stamps are coarse. */
function mayDiffer(kept: Kept<unknown> | null, stamp: FileStamp): boolean {
  return kept === null || !isSameStamp(kept.stamp, stamp) || kept.readMs < stamp.changedMs + RACY_MS;
}
