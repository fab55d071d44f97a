import { type LevelName, LogLevels } from "./levels.ts";
import type { LogRecord } from "./record.ts";

/** Where records of a level or above go, formatted. */
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
