import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import { freshPath } from "../files/fresh.ts";
import { isAt, lstat, removeIfThere } from "../files/lstat.ts";
import { isOthers } from "../files/trust.ts";
import { type ChildRecord, parseRecord } from "./child_record.ts";

const MODE = 0o600;

/** A line has so many bytes, or a multiple of that. */
const LINE_BYTES = 512;

/** So many lines are made at a time: there is room for more processes then when the disk is full. */
const LINES_AHEAD = 64;

/** What pid and start may take more than the nulls that stand for them before. */
const GROWTH_BYTES = 32;

const NEWLINE = 0x0a;
const SPACE = 0x20;

/** The part of the file that one record has. */
interface Line {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * The children of a monitor, in a file that its successor reads when it was killed: one line each, padded with spaces.
 *
 * A line is written before its child is started, and again after that. Each time that is one call that needs no file
 * descriptor and no room on the disk, for the file is held open and lines stay where they are. So it is true whatever runs
 * out, and whenever the monitor is killed.
 */
export class ChildTable {
  readonly #path: string;
  readonly #records = new Map<string, ChildRecord>();
  #lines = new Map<string, Line>();
  #free: Line[] = [];
  #end = 0;
  #file: Deno.FsFile | null = null;
  /** Whether something could not be written. */
  #isStale = false;

  /** Makes one in a directory that nobody else may write; the file is neither read nor made yet. */
  constructor(directory: string) {
    this.#path = join(directory, ".children");
  }

  /** Opens the file, or makes it; gives what the monitor before left in it. */
  load(): ChildRecord[] {
    const records: ChildRecord[] = [];
    this.#try(() => this.#read(records));
    return records;
  }

  /** Notes what is known of a child; says why it could not be written. */
  put(record: ChildRecord): string | null {
    this.#records.set(record.name, record);
    if (this.#file !== null) this.#try(() => this.#write(record));
    return this.check();
  }

  /** Forgets a child; says why it could not be erased. */
  remove(name: string): string | null {
    return this.#records.delete(name) ? this.#try(() => this.#erase(name)) : null;
  }

  /** Makes the file again where it is gone, or not as it should be; says why that cannot be done. */
  check(): string | null {
    return this.#isWhole() ? null : this.#try(() => this.#make());
  }

  /** Lets go of the file, and removes it where it holds nothing. */
  close(): void {
    if (this.#records.size === 0 && this.#isWhole()) this.#try(() => Deno.removeSync(this.#path));
    this.#file?.close();
    this.#file = null;
  }

  #try(action: () => void): string | null {
    try {
      action();
      return null;
    } catch (error) {
      this.#isStale = true;
      return faultOf(error);
    }
  }

  #read(records: ChildRecord[]): void {
    const { isFile, uid = null, nlink } = lstat(this.#path) ?? {};
    // What is another's is not believed.
    if (!isFile || isOthers(uid) || nlink !== 1) return this.#make();
    this.#file = Deno.openSync(this.#path, { read: true, write: true });
    const bytes = Deno.readFileSync(this.#path);
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, this.#end)) {
      const line = { offset: this.#end, bytes: end + 1 - this.#end };
      this.#end += line.bytes;
      const record = parseRecord(new TextDecoder().decode(bytes.subarray(line.offset, end)));
      if (record === null) {
        this.#free.push(line);
        continue;
      }
      records.push(record);
      this.#records.set(record.name, record);
      this.#lines.set(record.name, line);
    }
    // Something was torn; or a record moved to another line, and is in both.
    this.#isStale = this.#end < bytes.length || this.#lines.size < records.length;
  }

  #isWhole(): boolean {
    if (this.#file === null || this.#isStale) return false;
    const info = this.#file.statSync();
    return isAt(this.#path, info) && info.size === this.#end;
  }

  /** Makes the file, with all that is known, in the place of the one that there is. */
  #make(): void {
    const fresh = freshPath(dirname(this.#path));
    const before = { file: this.#file, lines: this.#lines, free: this.#free, end: this.#end };
    this.#file = Deno.openSync(fresh, { read: true, write: true, createNew: true, mode: MODE });
    [this.#lines, this.#free, this.#end] = [new Map(), [], 0];
    try {
      for (const record of this.#records.values()) this.#write(record);
      if (this.#free.length === 0) this.#extend(LINES_AHEAD, LINE_BYTES);
      Deno.renameSync(fresh, this.#path);
      before.file?.close();
      this.#isStale = false;
    } catch (error) {
      this.#file.close();
      ({ file: this.#file, lines: this.#lines, free: this.#free, end: this.#end } = before);
      removeIfThere(fresh);
      throw error;
    }
  }

  #write(record: ChildRecord): void {
    const text = new TextEncoder().encode(JSON.stringify(record));
    const known = this.#lines.get(record.name);
    const line = known !== undefined && text.length < known.bytes ? known : this.#take(text.length + GROWTH_BYTES);
    this.#fill(line, text);
    if (line === known) return;
    this.#erase(record.name);
    this.#lines.set(record.name, line);
  }

  #erase(name: string): void {
    const line = this.#lines.get(name);
    if (line === undefined) return;
    this.#fill(line, new Uint8Array(0));
    this.#lines.delete(name);
    this.#free.push(line);
  }

  /** Takes a line that is free, or a new one. */
  #take(bytes: number): Line {
    const isEnough = (line: Line) => line.bytes > bytes;
    if (!this.#free.some(isEnough)) {
      if (bytes < LINE_BYTES) this.#extend(LINES_AHEAD, LINE_BYTES);
      else this.#extend(1, Math.ceil((bytes + 1) / LINE_BYTES) * LINE_BYTES);
    }
    return this.#free.splice(this.#free.findIndex(isEnough), 1)[0]!;
  }

  /** Makes lines at the end: as many as there is room for, but at least one. */
  #extend(count: number, bytes: number): void {
    const line = new Uint8Array(bytes).fill(SPACE);
    line[bytes - 1] = NEWLINE;
    for (let made = 0; made < count; made++) {
      try {
        this.#writeAt(this.#end, line);
      } catch (error) {
        this.#file?.truncateSync(this.#end);
        if (made === 0) throw error;
        return;
      }
      this.#free.push({ offset: this.#end, bytes });
      this.#end += bytes;
    }
  }

  #fill({ offset, bytes }: Line, text: Uint8Array): void {
    const padded = new Uint8Array(bytes).fill(SPACE);
    padded.set(text);
    padded[bytes - 1] = NEWLINE;
    this.#writeAt(offset, padded);
  }

  #writeAt(offset: number, bytes: Uint8Array): void {
    this.#file?.seekSync(offset, Deno.SeekMode.Start);
    // Part of it is written where the disk is full.
    if (this.#file?.writeSync(bytes) !== bytes.length) throw new Error("ENOSPC");
  }
}
