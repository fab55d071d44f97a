import type { BaseHandler } from "./base_handler.ts";
import { type LevelName, LogLevels } from "./levels.ts";
import { LogRecord } from "./record.ts";

export { LogRecord };

/** Passes the messages at or above a level to its handlers. */
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
