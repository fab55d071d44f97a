/** The least level of events that are told. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** The levels that `--log-level` takes, from the most talkative. */
export const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** How events and output are told: in lines for a person, or in one JSON object a line. */
export type LogFormat = "text" | "json";

/** The forms that `--log-format` takes. */
export const LOG_FORMATS: readonly LogFormat[] = ["text", "json"];
