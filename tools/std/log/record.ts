import { getLevelName, type LevelName, type LogLevel } from "./levels.ts";

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
