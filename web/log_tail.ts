import { LogReader } from "@ncolony/host/read-tool";

/** How many lines are shown at most. */
export const MAX_LINES = 500;

/** How much of a line is shown, in bytes. */
const MAX_LINE = 4096;

/** How much is shown at once, in bytes. */
const MAX_BYTES = 262_144;

/** Lines of a log. */
export interface LogLines {
  /** Whether these are all to show, and those before them are not. */
  readonly begin: boolean;
  /** The lines, the oldest first. */
  readonly lines: readonly string[];
}

/** The end of the log of a process, and what is added to it. */
export class LogTail {
  readonly #path: string;
  readonly #max: number;
  #reader: LogReader;

  /** Creates the end of the log at a path, of at most `max` lines. */
  constructor(path: string, max: number) {
    this.#path = path;
    this.#max = Math.min(max, MAX_LINES);
    this.#reader = new LogReader(path);
  }

  /** Returns the last lines. @throws {Error} If the log cannot be read. */
  begin(): LogLines {
    const lines: string[] = [];
    for (let [backward, size] = [this.#reader.backward(), 0]; lines.length < this.#max && size < MAX_BYTES;) {
      const { value, done } = backward.next();
      if (done) break;
      size += Math.min(value.length, MAX_LINE);
      lines.push(textOf(value));
    }
    return { begin: true, lines: lines.reverse() };
  }

  /** Whether there is a log. */
  get exists(): boolean {
    return this.#reader.exists;
  }

  /**
   * Returns what was added. If that is more than is shown, it begins again at the end.
   *
   * @throws {Error} If the log cannot be read.
   */
  more(): LogLines {
    const lines: string[] = [];
    let size = 0;
    for (const line of this.#reader.more()) {
      size += Math.min(line.length, MAX_LINE);
      lines.push(textOf(line));
      if (lines.length < this.#max && size < MAX_BYTES) continue;
      this.close();
      this.#reader = new LogReader(this.#path);
      return this.begin();
    }
    return { begin: false, lines };
  }

  /** Closes the log. */
  close(): void {
    this.#reader.close();
  }
}

function textOf(line: Uint8Array): string {
  const text = new TextDecoder().decode(line.subarray(0, MAX_LINE)).replace(/\r$/, "");
  return line.length > MAX_LINE ? `${text}…` : text;
}
