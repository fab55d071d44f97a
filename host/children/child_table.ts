import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import { freshPath } from "../files/fresh.ts";
import { isAt, lstat, removeIfThere } from "../files/lstat.ts";
import { isOthers } from "../files/trust.ts";
import { type ChildRecord, parseRecord } from "./child_record.ts";

const MODE = 0o600;

/** The length of a line, in bytes. A longer line has a multiple of it. */
const LINE_BYTES = 512;

/** How many lines are added at a time, so that there is room for more processes when the disk is full. */
const LINES_AHEAD = 64;

/** How much longer a record may get when its null pid and start are filled in, in bytes. */
const GROWTH_BYTES = 32;

const NEWLINE = 0x0a;
const SPACE = 0x20;

/** The part of the file that holds one record. */
interface Line {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * The children of a monitor, in a file with one line each, padded with spaces. If the monitor is killed, the next one
 * reads the file.
 *
 * A line is written before its child is started, and again after that. Each write is one call that needs no new file
 * descriptor and no disk space, because the file is kept open and lines stay where they are. So the file is correct
 * even if resources run out, and whenever the monitor is killed.
 */
export class ChildTable {
  readonly #path: string;
  readonly #records = new Map<string, ChildRecord>();
  #lines = new Map<string, Line>();
  #free: Line[] = [];
  #end = 0;
  #file: Deno.FsFile | null = null;
  /** Whether the file must be written again, because a write failed or a line was torn or duplicate. */
  #isStale = false;

  /** Creates a table in a directory that no other user may write. Does not touch the file yet. */
  constructor(directory: string) {
    this.#path = join(directory, ".children");
  }

  /** Opens or creates the file. Returns the records that the previous monitor left in it. */
  load(): ChildRecord[] {
    const records: ChildRecord[] = [];
    this.#try(() => this.#read(records));
    return records;
  }

  /** Records a child. Returns why it could not be written, or null. */
  put(record: ChildRecord): string | null {
    this.#records.set(record.name, record);
    if (this.#file !== null) this.#try(() => this.#write(record));
    return this.check();
  }

  /** Removes a child. Returns why it could not be erased, or null. */
  remove(name: string): string | null {
    return this.#records.delete(name) ? this.#try(() => this.#erase(name)) : null;
  }

  /** Writes the file again if it is gone or not as it should be. Returns why that failed, or null. */
  check(): string | null {
    return this.#isWhole() ? null : this.#try(() => this.#make());
  }

  /** Closes the file, and removes it if it holds no child. */
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
    // A file of another user, or with several names, is not trusted.
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
    // The last line was torn, or a record was moved to another line and is in both.
    this.#isStale = this.#end < bytes.length || this.#lines.size < records.length;
  }

  #isWhole(): boolean {
    if (this.#file === null || this.#isStale) return false;
    const info = this.#file.statSync();
    return isAt(this.#path, info) && info.size === this.#end;
  }

  /** Replaces the file with a new one that holds all records. */
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

  /** Takes a free line, or a new one. */
  #take(bytes: number): Line {
    const isEnough = (line: Line) => line.bytes > bytes;
    if (!this.#free.some(isEnough)) {
      if (bytes < LINE_BYTES) this.#extend(LINES_AHEAD, LINE_BYTES);
      else this.#extend(1, Math.ceil((bytes + 1) / LINE_BYTES) * LINE_BYTES);
    }
    return this.#free.splice(this.#free.findIndex(isEnough), 1)[0]!;
  }

  /** Adds lines at the end, as many as there is room for. @throws {Error} If there is no room for one. */
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
    // If the disk is full, only a part is written.
    if (this.#file?.writeSync(bytes) !== bytes.length) throw new Error("no space left on device");
  }
}
