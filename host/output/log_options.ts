/** The least level of events that are logged. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** The values of `--log-level`, from the most verbose. */
export const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** The format of events and output: plain lines, or one JSON object per line. */
export type LogFormat = "text" | "json";

/** The values of `--log-format`. */
export const LOG_FORMATS: readonly LogFormat[] = ["text", "json"];
