import { type LogStamp, parseStamp, startIn } from "@ncolony/core";

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
  const taken: LogLine[] = [];
  // The lines of the start that is being read. It is not known which one that is until its mark is found.
  let ofRun: LogLine[] = [];
  // What goes on with a line that comes later, because it is older.
  let rest: Uint8Array<ArrayBuffer>[] = [];
  let [hasTimes, isOpen] = [false, true];
  for (const bytes of lines) {
    if (max <= 0 || wanted.run === null && taken.length >= max) break;
    const stamp = parseStamp(bytes);
    hasTimes ||= stamp !== null;
    if (!needsTimes(wanted)) {
      if (isWanted({ bytes, stamp }, wanted)) taken.push({ bytes, stamp });
      continue;
    }
    rest.push(bytes);
    if (stamp === null) continue;
    if (wanted.since !== null && stamp.time < wanted.since) {
      rest = [];
      break;
    }
    const whole = rest.map((part) => ({ bytes: part, stamp })).filter((line) => isWanted(line, wanted));
    rest = [];
    if (wanted.run === null) {
      taken.push(...whole);
      continue;
    }
    ofRun.push(...whole);
    const start = startIn(bytes);
    if (start === null) continue;
    if (wanted.run === "last" || wanted.run === start) {
      taken.push(...ofRun);
      break;
    }
    isOpen = false;
    ofRun = [];
  }
  return needsTimes(wanted) && !hasTimes ? null : { lines: taken.slice(0, max).reverse(), isOpen };
}

/** Gives each line that is added to a log its stamp, and selects those that are wanted. */
export class AddedLines {
  readonly #wanted: Wanted;
  #stamp: LogStamp | null;

  /** Begins after a line with this stamp. */
  constructor(wanted: Wanted, stamp: LogStamp | null) {
    this.#wanted = wanted;
    this.#stamp = stamp;
  }

  /** Returns a line, or null if it is not wanted. */
  take(bytes: Uint8Array<ArrayBuffer>): LogLine | null {
    this.#stamp = parseStamp(bytes) ?? this.#stamp;
    const line = { bytes, stamp: this.#stamp };
    return isWanted(line, this.#wanted) ? line : null;
  }
}

function isWanted({ bytes, stamp }: LogLine, { since, stream, grep }: Wanted): boolean {
  if (since !== null && (stamp === null || stamp.time < since)) return false;
  if (stream !== null && stamp?.stream !== stream) return false;
  return grep === null || grep.test(new TextDecoder().decode(bytes));
}
