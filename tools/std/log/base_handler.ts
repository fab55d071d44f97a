import { type LevelName, LogLevels } from "./levels.ts";
import type { LogRecord } from "./record.ts";

/** Formats and writes the records at or above a level. */
export abstract class BaseHandler {
  readonly #level: number;
  readonly #formatter: (record: LogRecord) => string;

  constructor(levelName: LevelName, options?: { formatter?: (record: LogRecord) => string }) {
    this.#level = LogLevels[levelName];
    this.#formatter = options?.formatter ?? ((record) => `${record.levelName} ${record.msg}`);
  }

  handle(record: LogRecord): void {
    if (record.level >= this.#level) this.log(this.#formatter(record));
  }

  abstract log(msg: string): void;
}
