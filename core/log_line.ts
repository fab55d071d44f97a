/** What wrote a line: stdout, stderr, or the monitor, at a start or an end. */
export type LogStream = "O" | "E" | "-";

/** The stamp of a line in a log with times. */
export interface LogStamp {
  /** When the line was written to the log, in milliseconds since 1970. */
  readonly time: number;
  /** What wrote it. */
  readonly stream: LogStream;
}

/** How long a stamp is, in bytes: `2026-01-31T03:00:44.123Z O `. */
export const STAMP_BYTES = 27;

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [OE-] $/;

/** Formats a stamp, to be followed by a line. */
export function formatStamp({ time, stream }: LogStamp): string {
  return `${new Date(time).toISOString()} ${stream} `;
}

/** Parses the stamp of a line. Null if it has none: it goes on, or the log has no times. */
export function parseStamp(line: Uint8Array): LogStamp | null {
  const text = String.fromCharCode(...line.subarray(0, STAMP_BYTES));
  return STAMP.test(text) ? { time: Date.parse(text.slice(0, 24)), stream: text[25] as LogStream } : null;
}

/** Returns which start of a process a line marks. Null if it marks none. */
export function startIn(line: Uint8Array): number | null {
  const [, start] = /^start (\d+)$/.exec(String.fromCharCode(...line.subarray(STAMP_BYTES, STAMP_BYTES + 30))) ?? [];
  return start !== undefined && parseStamp(line)?.stream === "-" ? Number(start) : null;
}
