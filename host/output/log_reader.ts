import { faultOf, isNotFound } from "../deno_errors.ts";
import { lstat } from "../files/lstat.ts";
import { type FileFacts, type OpenFile, openFile, ReplacedError } from "../files/open.ts";
import { BLOCK, endOfLastLine, joined, type Line, linesBackward } from "./lines_backward.ts";

const NEWLINE = 0x0a;

/** A line that has not ended is passed on when it is longer than this, in bytes. */
const MAX_LINE = 1024 * 1024;

/** The most old files of a log. */
const MAX_OLD = 1000;

/**
 * Reads the log of a process: `NAME.log`, and `NAME.log.1` and so on, which are older. It follows the log and not the
 * files: no line is lost and none is read twice, however often the files are renamed, unless one is removed before it was
 * read.
 */
export class LogReader {
  readonly #path: string;
  /** The file that is being read. Null if there was none. It stays open, so that no new file has its inode. */
  #file: OpenFile | null = null;
  /** Up to where it was read. */
  #position = 0;
  /** The beginning of a line that has not ended. */
  #begun: Line = new Uint8Array(0);
  /** The files that are older. They do not change any more. */
  readonly #older = new Set<string>();

  /** Creates a reader of the log at a path. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Yields the lines that are there, the last one first. After that, {@linkcode more} goes on. */
  *backward(): Generator<Line> {
    let file = open(this.#path) ?? open(this.#numbered(1));
    if (file === null) return;
    this.#file = file;
    // A line that has not ended is left for `more`.
    this.#position = endOfLastLine(file);
    this.#noteOlder(file);
    for (let size = this.#position; file !== null; size = file?.now().size ?? 0) {
      let older: OpenFile | null = null;
      try {
        yield* linesBackward(file, size);
        older = this.#beside(file, 1);
      } finally {
        if (file !== this.#file) file[Symbol.dispose]();
      }
      file = older;
    }
  }

  /** Whether there is a log. */
  get exists(): boolean {
    return this.#file !== null;
  }

  /** Yields the lines that were added; all, if there was no log before. */
  *more(): Generator<Line> {
    for (;;) {
      this.#file ??= this.#oldest();
      const file = this.#file;
      if (file === null) return;
      yield* this.#rest(file);
      if (lstat(this.#path)?.ino === file.facts.ino) return;
      // Nothing is written to a file that was renamed, but something may have been before that.
      yield* this.#rest(file);
      this.#older.add(keyOf(file.now()));
      const next = this.#numberOf(file) === null ? this.#oldest() : this.#beside(file, -1);
      if (next === null) return;
      if (this.#begun.length > 0) yield this.#take();
      file[Symbol.dispose]();
      this.#file = next;
      this.#position = 0;
    }
  }

  /** Yields the rest of the last line, although it has not ended. */
  *unended(): Generator<Line> {
    if (this.#begun.length > 0) yield this.#take();
  }

  /** Closes the file. */
  close(): void {
    this.#file?.[Symbol.dispose]();
    this.#file = null;
  }

  *#rest(file: OpenFile): Generator<Line> {
    // Another program has truncated it.
    if (file.now().size < this.#position) {
      this.#position = 0;
      yield* this.unended();
    }
    const block = new Uint8Array(BLOCK);
    for (;;) {
      const length = file.read(block, 0, BLOCK, this.#position);
      if (length === 0) return;
      this.#position += length;
      let from = 0;
      for (let at = block.indexOf(NEWLINE); at >= 0 && at < length; at = block.indexOf(NEWLINE, from)) {
        this.#begun = joined(this.#begun, block.subarray(from, at));
        yield this.#take();
        from = at + 1;
      }
      this.#begun = joined(this.#begun, block.subarray(from, length));
      if (this.#begun.length > MAX_LINE) yield this.#take();
    }
  }

  #take(): Line {
    const line = this.#begun;
    this.#begun = new Uint8Array(0);
    return line;
  }

  #numbered(number: number): string {
    return number === 0 ? this.#path : `${this.#path}.${number}`;
  }

  /** Opens the next older file (1), or the next newer one (-1). Null if there is none. */
  #beside(file: OpenFile, step: 1 | -1): OpenFile | null {
    for (;;) {
      const number = this.#numberOf(file);
      if (number === null) return null;
      const beside = this.#nearest(number, step);
      const found = beside === null ? null : open(this.#numbered(beside));
      // Files are renamed from the oldest on, each to the number that became free. So while this one does not move and
      // the same numbers are free, this was the nearest one.
      const isNearest = this.#nearest(number, step) === beside && this.#numberOf(file) === number;
      if (isNearest && (found !== null || beside === null)) return found;
      found?.[Symbol.dispose]();
    }
  }

  /** Returns the nearest number beside one that a file has. While files are renamed, one is missing. Null if there is none. */
  #nearest(number: number, step: 1 | -1): number | null {
    for (let at = number + step; at >= 0 && at <= number + 2; at += step) {
      if (lstat(this.#numbered(at)) !== null) return at;
    }
    return null;
  }

  /** Opens the oldest file that was not read. Null if there is none. */
  #oldest(): OpenFile | null {
    for (;;) {
      const number = this.#oldestNumber();
      const file = number === null ? null : open(this.#numbered(number));
      // Otherwise files were renamed meanwhile.
      const isOldest = this.#oldestNumber() === number && (file === null || this.#numberOf(file) === number);
      if (isOldest && (file !== null || number === null)) return file;
      file?.[Symbol.dispose]();
    }
  }

  /** Returns the number of the oldest file that was not read. Null if there is none. */
  #oldestNumber(): number | null {
    return [...this.#numbers()].findLast((number) => {
      const info = lstat(this.#numbered(number));
      return info !== null && !this.#older.has(keyOf(info));
    }) ?? null;
  }

  /** Notes that what is older than a file is not read again. */
  #noteOlder(file: OpenFile): void {
    for (const number of this.#numbers()) {
      const info = lstat(this.#numbered(number));
      if (info !== null && info.ino !== file.facts.ino && number > 0) this.#older.add(keyOf(info));
    }
  }

  /** Returns the number of a file. Null if it is gone. */
  #numberOf(file: OpenFile): number | null {
    for (const number of this.#numbers()) if (lstat(this.#numbered(number))?.ino === file.facts.ino) return number;
    return null;
  }

  /** Yields the numbers that files have. While files are renamed, one is missing. */
  *#numbers(): Generator<number> {
    for (let [number, last] = [0, 0]; number - last <= 2 && number <= MAX_OLD; number++) {
      yield number;
      if (lstat(this.#numbered(number)) !== null) last = number;
    }
  }
}

/** Identifies a file that does not change any more, also after it was renamed. */
function keyOf({ ino, size, mtime }: FileFacts): string {
  return `${ino} ${size} ${mtime?.getTime()}`;
}

function open(path: string): OpenFile | null {
  for (;;) {
    try {
      return openFile(path);
    } catch (error) {
      // By now another file may have got its name.
      if (isNotFound(error)) return null;
      if (error instanceof ReplacedError) continue;
      throw new Error(`${JSON.stringify(path)}: ${faultOf(error)}`);
    }
  }
}
