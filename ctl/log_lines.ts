import { type LogStamp, parseStamp, STAMP_BYTES, startIn } from "@ncolony/core";

/** A line of a log. */
export interface LogLine {
  /** Its bytes, with the stamp, without the newline. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Its stamp, or that of the line that it goes on with. Null: the log has no times. */
  readonly stamp: LogStamp | null;
}

/** Which lines of a log to show. Null: whichever. */
export interface Wanted {
  /** Those from this time on, in milliseconds since 1970. */
  readonly since: number | null;
  /** Those of one stream. */
  readonly stream: "O" | "E" | null;
  /** Those of one start, or of the last one. */
  readonly run: number | "last" | null;
  /** Those that match. */
  readonly grep: RegExp | null;
}

/** The last lines of a log. */
export interface LastLines {
  /** The lines, the oldest first. */
  readonly lines: readonly LogLine[];
  /** Whether what is added later belongs to them: not if they are those of a start that is over. */
  readonly isOpen: boolean;
}

/** Whether only a log with times can answer this. */
export function needsTimes({ since, stream, run }: Wanted): boolean {
  return since !== null || stream !== null || run !== null;
}

/**
 * Selects lines from the end of a log.
 *
 * @param lines The lines, the last one first.
 * @param wanted Which ones.
 * @param max How many.
 * @returns The last ones, the oldest first, and whether what is added later belongs to them. Null if the log has no
 * times, and they are needed.
 */
export function lastLines(lines: Iterable<Uint8Array<ArrayBuffer>>, wanted: Wanted, max: number): LastLines | null {
  const { since, run } = wanted;
  // With `run`, it is not known which start these are of until its mark is found.
  let taken: LogLine[] = [];
  // What goes on with a line that comes later, because it is older.
  let rest: Uint8Array<ArrayBuffer>[] = [];
  let hasTimes = false;
  // The oldest start whose mark was found. All that is older belongs to the one before it.
  let oldest: number | null = null;
  const isOf = (start: number) => run === null || run === "last" ? oldest === null : run === start;
  for (const bytes of lines) {
    const stamp = parseStamp(bytes);
    hasTimes ||= stamp !== null;
    if (max <= 0 || run === null && taken.length >= max) break;
    rest.push(bytes);
    if (stamp === null && needsTimes(wanted)) continue;
    // The clock may have been set back since an older line was written.
    if (since !== null && stamp !== null && stamp.time < since - SLACK_MS) break;
    for (const part of rest) if (isWanted({ bytes: part, stamp }, wanted)) taken.push({ bytes: part, stamp });
    rest = [];
    const start = run === null ? null : startIn(bytes);
    if (start === null) continue;
    if (isOf(start)) return { lines: taken.slice(0, max).reverse(), isOpen: oldest === null };
    oldest = start;
    taken = [];
  }
  if (needsTimes(wanted) && !hasTimes) return null;
  // The mark of the oldest start may have been removed with its file.
  const isFound = run === null || run === "last" || oldest !== null && run === oldest - 1;
  return { lines: isFound ? taken.slice(0, max).reverse() : [], isOpen: oldest === null && isFound };
}

/** How far back the clock may be set without hiding lines from `since`, in milliseconds. */
const SLACK_MS = 5000;

/** Gives each line that is added to a log its stamp, and selects those that are wanted. */
export class AddedLines {
  readonly #wanted: Wanted;
  #stamp: LogStamp | null;
  #isOver = false;

  /** Begins after a line with this stamp. */
  constructor(wanted: Wanted, stamp: LogStamp | null) {
    this.#wanted = wanted;
    this.#stamp = stamp;
  }

  /** Returns a line, or null if it is not wanted. */
  take(bytes: Uint8Array<ArrayBuffer>): LogLine | null {
    this.#stamp = parseStamp(bytes) ?? this.#stamp;
    const start = typeof this.#wanted.run === "number" ? startIn(bytes) : null;
    this.#isOver ||= start !== null && start !== this.#wanted.run;
    const line = { bytes, stamp: this.#stamp };
    return !this.#isOver && isWanted(line, this.#wanted) ? line : null;
  }
}

function isWanted({ bytes, stamp }: LogLine, { since, stream, grep }: Wanted): boolean {
  if (since !== null && (stamp === null || stamp.time < since)) return false;
  if (stream !== null && stamp?.stream !== stream) return false;
  const text = parseStamp(bytes) === null ? bytes : bytes.subarray(STAMP_BYTES);
  return grep === null || grep.test(new TextDecoder().decode(text));
}
