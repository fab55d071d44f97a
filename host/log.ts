import { BaseHandler } from "@std/log/base-handler";
import type { LevelName } from "@std/log/levels";
import { Logger, type LogRecord } from "@std/log/logger";
import type { LogFormat, LogLevel } from "./log_options.ts";
import type { Log } from "./types.ts";

/** A log that nobody reads. */
export const SILENT_LOG: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Makes the log of a program's own events: `2026-01-31T03:00:00.000Z INFO web: running -> stopping (unwanted)`.
 *
 * @param write Takes each line, with its newline.
 */
export function createLog(level: LogLevel, format: LogFormat, write: (line: string) => void): Log {
  const name = level.toUpperCase() as LevelName;
  const formatter = format === "json" ? jsonEvent : textEvent;
  const logger = new Logger("ncolony", name, { handlers: [new LineHandler(name, formatter, write)] });
  return {
    debug: (message, process) => void logger.debug(message, process),
    info: (message, process) => void logger.info(message, process),
    warn: (message, process) => void logger.warn(message, process),
    error: (message, process) => void logger.error(message, process),
  };
}

/** One line of a child's output as a JSON object; bytes that are not UTF-8 become U+FFFD. */
export function jsonLine(process: string, stream: string, message: string, time: Date, isPartial: boolean): string {
  const line = { time: time.toISOString(), level: "INFO", process, stream, message };
  return `${JSON.stringify(isPartial ? { ...line, partial: true } : line)}\n`;
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
  // What comes from outside must not begin a line of its own, nor move a terminal's cursor.
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  const line = msg.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return `${datetime.toISOString()} ${levelName} ${line}\n`;
}

function jsonEvent({ datetime, levelName, msg, args }: LogRecord): string {
  const [process = null] = args;
  return `${JSON.stringify({ time: datetime.toISOString(), level: levelName, process, stream: null, message: msg })}\n`;
}
