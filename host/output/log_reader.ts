import { lstat } from "../files/lstat.ts";
import { type OpenFile, openFile } from "../files/open.ts";

const NEWLINE = 0x0a;

/** How much is read at once, in bytes. */
const BLOCK = 65_536;

/** A line that has not ended is passed on when it is longer than this, in bytes. */
const MAX_LINE = 1024 * 1024;

/** The most old files of a log. */
const MAX_OLD = 1000;

/** A line of a log, without its newline. It is valid until the next one is taken. */
type Line = Uint8Array<ArrayBuffer>;

/**
 * Reads the log of a process: `NAME.log`, and `NAME.log.1` and so on, which are older. It follows the log and not the
 * files: no line is lost and none is read twice, however often the files are renamed, unless one is removed before it was
 * read.
 */
export class LogReader {
  readonly #path: string;
  /** The file that is being read. Null if there was none. */
  #file: OpenFile | null = null;
  /** Up to where it was read. */
  #position = 0;
  /** The beginning of a line that has not ended. */
  #begun: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** Creates a reader of the log at a path. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Yields the lines that are there, the last one first. After that, {@linkcode more} goes on. */
  *backward(): Generator<Line> {
    let file = open(this.#path);
    this.#file = file;
    // A line that has not ended is left for `more`, if there is one.
    this.#position = file === null ? 0 : endOfLastLine(file);
    const seen = new Set<number | null>();
    for (let number = 0; number <= MAX_OLD; number++) {
      if (number > 0) file = open(`${this.#path}.${number}`);
      if (file === null && number > 0 && lstat(`${this.#path}.${number + 1}`) === null) return;
      if (file === null) continue;
      try {
        // Otherwise it was renamed meanwhile.
        if (!seen.has(file.facts.ino)) yield* linesBackward(file, number === 0 ? this.#position : file.size());
        seen.add(file.facts.ino);
      } finally {
        if (file !== this.#file) file[Symbol.dispose]();
      }
    }
  }

  /** Whether there is a log. */
  get exists(): boolean {
    return this.#file !== null;
  }

  /** Yields the lines that were added; all, if nothing was read before. */
  *more(): Generator<Line> {
    for (;;) {
      this.#file ??= this.#next(null);
      if (this.#file === null) return;
      yield* this.#rest(this.#file);
      if (lstat(this.#path)?.ino === this.#file.facts.ino) return;
      // Nothing is written to a file that was renamed, but something may have been before that.
      yield* this.#rest(this.#file);
      const next = this.#next(this.#file.facts.ino);
      if (next === null) return;
      if (this.#begun.length > 0) yield this.#take();
      this.#file[Symbol.dispose]();
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
    if (file.size() < this.#position) this.#position = 0;
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

  /** Opens the file that followed another one, which is still open, so that no new file has its inode. Null: the oldest. */
  #next(ino: number | null): OpenFile | null {
    for (;;) {
      const number = this.#numberOf(ino);
      let file: OpenFile | null = null;
      // While files are renamed, there is a gap.
      for (let newer = number - 1; file === null && newer >= 0; newer--) {
        file = open(newer === 0 ? this.#path : `${this.#path}.${newer}`);
      }
      // Renaming begins with the oldest file. So if that one has not moved, nor had this one when it was opened.
      if (this.#numberOf(ino) === number) return file;
      file?.[Symbol.dispose]();
    }
  }

  /** Returns the number of an old file. If it is gone, the number after the oldest. While files are renamed, one is missing. */
  #numberOf(ino: number | null): number {
    let [oldest, number] = [0, 1];
    for (; number - oldest <= 2; number++) {
      const info = lstat(`${this.#path}.${number}`);
      if (info?.ino === ino) return number;
      if (info !== null) oldest = number;
    }
    return oldest + 1;
  }
}

function open(path: string): OpenFile | null {
  try {
    return openFile(path);
  } catch (error) {
    if (error instanceof Error && lstat(path) === null) return null;
    throw error;
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** Returns the position after the last newline of a file. */
function endOfLastLine(file: OpenFile): number {
  const block = new Uint8Array(BLOCK);
  for (let end = file.size(); end > 0;) {
    const start = Math.max(0, end - BLOCK);
    const length = file.read(block, 0, end - start, start);
    const at = block.subarray(0, length).lastIndexOf(NEWLINE);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}

/** Yields the lines of the first `size` bytes of a file, the last one first. */
function* linesBackward(file: OpenFile, size: number): Generator<Line> {
  const block = new Uint8Array(BLOCK);
  let tail: Line = new Uint8Array(0);
  let isFirst = true;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - BLOCK);
    const length = file.read(block, 0, end - start, start);
    let to = length;
    // The newline at the end of the file begins no line.
    if (isFirst && block[length - 1] === NEWLINE) to--;
    isFirst = false;
    for (
      let at = block.subarray(0, to).lastIndexOf(NEWLINE);
      at >= 0;
      at = block.subarray(0, to).lastIndexOf(NEWLINE)
    ) {
      yield joined(block.subarray(at + 1, to), tail);
      tail = new Uint8Array(0);
      to = at;
    }
    tail = joined(block.subarray(0, to), tail);
    end = start;
  }
  if (!isFirst) yield tail;
}
