import { type LogFields, shownName, visible, visibleJson } from "@ncolony/core";
import { BaseHandler } from "@std/log/base-handler";
import type { LevelName } from "@std/log/levels";
import { Logger, type LogRecord } from "@std/log/logger";
import type { Log } from "../types.ts";
import type { LogFormat, LogLevel } from "./log_options.ts";

/** A log that discards everything. */
export const SILENT_LOG: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Creates the log of a program's own events: `2026-01-31T03:00:00.000Z INFO web: running -> stopping (unwanted)`.
 *
 * @param write Takes each line with its newline.
 */
export function createLog(level: LogLevel, format: LogFormat, write: (line: string) => void): Log {
  const name = level.toUpperCase() as LevelName;
  const formatter = format === "json" ? jsonEvent : textEvent;
  const logger = new Logger("ncolony", name, { handlers: [new LineHandler(name, formatter, write)] });
  return {
    debug: (message, process, fields) => void logger.debug(line(message, process), process, fields),
    info: (message, process, fields) => void logger.info(line(message, process), process, fields),
    warn: (message, process, fields) => void logger.warn(line(message, process), process, fields),
    error: (message, process, fields) => void logger.error(line(message, process), process, fields),
  };
}

function line(message: string, process?: string): string {
  return process === undefined ? message : `${shownName(process)}: ${message}`;
}

/** Formats a line of a child's output as a JSON object. Bytes that are not UTF-8 become U+FFFD. */
export function jsonLine(process: string, stream: string, message: string, time: Date, isPartial: boolean): string {
  const line = { time: isoOf(time), level: "INFO", process, stream, message };
  return toJson(isPartial ? { ...line, partial: true } : line);
}

class LineHandler extends BaseHandler {
  readonly #write: (line: string) => void;

  constructor(level: LevelName, formatter: (record: LogRecord) => string, write: (line: string) => void) {
    super(level, { formatter });
    this.#write = write;
  }

  override log(line: string): void {
    this.#write(line);
  }
}

function textEvent({ datetime, levelName, msg }: LogRecord): string {
  return `${datetime.toISOString()} ${levelName} ${visible(msg)}\n`;
}

function jsonEvent({ datetime, levelName, msg, args }: LogRecord): string {
  const [process = null, fields] = args as [process?: string, fields?: LogFields];
  return toJson({ time: datetime.toISOString(), level: levelName, process, stream: null, message: msg, ...fields });
}

/** The formatted time of the last line. Many lines share it, and formatting takes as long as all else for a line. */
let last = { ms: NaN, text: "" };

function isoOf(time: Date): string {
  const ms = time.getTime();
  if (ms !== last.ms) last = { ms, text: time.toISOString() };
  return last.text;
}

function toJson(line: object): string {
  return `${visibleJson(JSON.stringify(line))}\n`;
}
