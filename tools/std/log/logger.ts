import type { BaseHandler } from "./base_handler.ts";
import { getLevelName, type LevelName, type LogLevel, LogLevels } from "./levels.ts";

/** One message, with its level and time. */
export class LogRecord {
  readonly msg: string;
  readonly args: unknown[];
  readonly level: LogLevel;
  readonly levelName: LevelName;
  readonly loggerName: string;
  readonly datetime = new Date();

  constructor(options: { msg: string; args: unknown[]; level: LogLevel; loggerName: string }) {
    this.msg = options.msg;
    this.args = options.args;
    this.level = options.level;
    this.levelName = getLevelName(options.level);
    this.loggerName = options.loggerName;
  }
}

/** Hands the messages of a level or above to its handlers. */
export class Logger {
  readonly #name: string;
  readonly #level: number;
  readonly #handlers: BaseHandler[];

  constructor(loggerName: string, levelName: LevelName, options?: { handlers?: BaseHandler[] }) {
    this.#name = loggerName;
    this.#level = LogLevels[levelName];
    this.#handlers = options?.handlers ?? [];
  }

  debug(msg: string, ...args: unknown[]): string {
    return this.#log("DEBUG", msg, args);
  }

  info(msg: string, ...args: unknown[]): string {
    return this.#log("INFO", msg, args);
  }

  warn(msg: string, ...args: unknown[]): string {
    return this.#log("WARN", msg, args);
  }

  error(msg: string, ...args: unknown[]): string {
    return this.#log("ERROR", msg, args);
  }

  critical(msg: string, ...args: unknown[]): string {
    return this.#log("CRITICAL", msg, args);
  }

  #log(levelName: LevelName, msg: string, args: unknown[]): string {
    const level = LogLevels[levelName];
    if (level < this.#level) return msg;
    const record = new LogRecord({ msg, args, level, loggerName: this.#name });
    for (const handler of this.#handlers) handler.handle(record);
    return msg;
  }
}
