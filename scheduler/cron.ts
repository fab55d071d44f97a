import { UsageError } from "@ncolony/core";
import { Cron } from "croner";

/**
 * Parses a cron expression: five fields, or six where the first one is seconds; or `@hourly`, `@daily` and their like.
 *
 * @param expression The expression.
 * @param timezone An IANA time zone; absent: the machine's.
 * @throws {UsageError} Where it is wrong; the message names the field.
 */
export function parseCron(expression: string, timezone?: string): Cron {
  if (timezone !== undefined && !isTimezone(timezone)) {
    throw new UsageError(`--timezone ${JSON.stringify(timezone)} is not known, such as Europe/Berlin is`);
  }
  const fields = expression.trim().split(/\s+/).length;
  if (!expression.trim().startsWith("@") && (fields < 5 || fields > 6)) {
    throw new UsageError(
      `--cron ${JSON.stringify(expression)} must have five fields, or six with seconds: got ${fields}`,
    );
  }
  try {
    return new Cron(expression, { paused: true, ...(timezone === undefined ? {} : { timezone }) });
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    throw new UsageError(`--cron ${JSON.stringify(expression)}: ${reason}`);
  }
}

/** The next times of a cron expression, a line each: `2026-03-29 03:30:00 GMT+02:00`. */
export function nextTimes(cron: Cron, count: number, after: Date, timezone?: string): string[] {
  return cron.nextRuns(count, after).map((time) => formatTime(time, timezone));
}

/** A time for a person, in a time zone. */
export function formatTime(time: Date, timezone?: string): string {
  // Sweden writes dates as ISO does.
  return time.toLocaleString("sv-SE", {
    ...(timezone === undefined ? {} : { timeZone: timezone }),
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "longOffset",
  });
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    // RangeError: there is none of that name.
    return false;
  }
}
