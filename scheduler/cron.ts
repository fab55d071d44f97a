import { UsageError } from "@ncolony/core";
import { Cron } from "croner";
import { isZone } from "./zone.ts";

/** The fields of a cron expression with seconds, in order, and the values of each. */
const FIELDS = [
  ["second", "0 to 59"],
  ["minute", "0 to 59"],
  ["hour", "0 to 23"],
  ["day of the month", "1 to 31, or L"],
  ["month", "1 to 12, or JAN to DEC"],
  ["day of the week", "0 to 7, or SUN to SAT"],
] as const;

/** The names of common times. */
const NAMES = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/** The times that a cron expression names. */
export interface CronTimes {
  /** Returns the first one after an instant, or null if none follows. */
  nextRun(after: Date): Date | null;
}

/**
 * Parses a cron expression: five fields, six fields that begin with seconds, or a name such as `@hourly` or `@daily`.
 *
 * If daylight saving time skips a time of day, it runs when the clock is set forward. If it repeats a time of day, it
 * runs once. Expressions with a `*` in the minute or the hour, such as every half hour, simply continue.
 *
 * @param expression The expression.
 * @param timezone An IANA time zone, or an offset from UTC, such as +09:00.
 * @throws {UsageError} If one of them is invalid. The message names the field.
 */
export function parseCron(expression: string, timezone: string): CronTimes {
  if (!isZone(timezone)) {
    throw new UsageError(`--timezone ${JSON.stringify(timezone)} is unknown: use a name such as Europe/Berlin`);
  }
  const shown = `--cron ${JSON.stringify(expression)}`;
  const text = expression.trim();
  if (text.startsWith("@")) {
    if (!NAMES.includes(text.toLowerCase())) throw new UsageError(`${shown} must be one of ${NAMES.join(", ")}`);
    // croner does not know that name.
    const known = text.toLowerCase() === "@midnight" ? "@daily" : text;
    return new Cron(known, { paused: true, timezone });
  }
  const fields = text === "" ? [] : text.split(/\s+/);
  if (fields.length < 5 || fields.length > 6) {
    const years = fields.length === 7 ? ", and no year" : "";
    throw new UsageError(
      `${shown} must have five fields, or six with seconds first${years}: got ${fields.length}`,
    );
  }
  checkFields(shown, fields);
  const [minute, hour] = fields.slice(-5);
  if (minute!.includes("*") || hour!.includes("*")) return new Cron(text, { paused: true, timezone });
  const cron = new Cron(text, { paused: true, timezone: "UTC" });
  return { nextRun: (after) => nextTimeOfDay(cron, after, timezone) };
}

/** Returns the next times of a cron expression, one line each: `2026-03-29 03:00:00 GMT+02:00`. */
export function nextTimes(cron: CronTimes, count: number, after: Date, timezone: string): string[] {
  const lines: string[] = [];
  for (let time = cron.nextRun(after); time !== null && lines.length < count; time = cron.nextRun(time)) {
    lines.push(formatTime(time, timezone));
  }
  return lines;
}

/** Formats a time for people, in a time zone. */
export function formatTime(time: Date, timezone: string): string {
  // The Swedish date format is that of ISO 8601.
  return time.toLocaleString("sv-SE", {
    timeZone: timezone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "longOffset",
  });
}

/** Checks each field alone, because croner does not always report which one is invalid. */
function checkFields(shown: string, fields: readonly string[]): void {
  const names = FIELDS.slice(-fields.length);
  for (const [index, field] of fields.entries()) {
    const [name, takes] = names[index]!;
    const alone = fields.map((_, other) => other === index ? field : "*").join(" ");
    if (/^[\w*,/?#+-]+$/.test(field) && isCron(alone)) continue;
    const slip = slipIn(field, FIELDS.length - names.length + index);
    throw new UsageError(
      `${shown}: the ${name} must be ${takes}, *, or ranges and steps of those: got ${field}${
        slip === null ? "" : `, ${slip}`
      }`,
    );
  }
}

/** Returns a likely correction of an invalid field, or null. */
function slipIn(field: string, index: number): string | null {
  for (const part of field.split(",")) {
    const [, from, to, step] = /^(\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ?? [];
    if (from === undefined || !isCronField(from, index)) continue;
    const last = LAST[index]!;
    if (to !== undefined && isCronField(to, index) && !isCronField(`${from}-${to}`, index)) {
      return `a range that goes backwards; write ${from}-${last},${FIRST[index]}-${to}`;
    }
    if (to === undefined && step !== undefined) return `a step without a range; write ${from}-${last}/${step}`;
  }
  return null;
}

/** The first and the last value of each field. */
const FIRST = ["0", "0", "0", "1", "1", "SUN"];
const LAST = ["59", "59", "23", "31", "12", "SAT"];

/** Whether a text is valid in one of the six fields. */
function isCronField(text: string, index: number): boolean {
  return isCron(FIELDS.map((_, other) => other === index ? text : "*").join(" "));
}

function isCron(expression: string): boolean {
  try {
    new Cron(expression, { paused: true });
    return true;
  } catch {
    // A TypeError or a RangeError, whose message is less helpful than ours.
    return false;
  }
}

/**
 * Returns the next time of an expression without `*` in the hour and the minute. It searches in local times, as if they
 * were UTC. Otherwise croner runs several times in one hour twice each if the hour is repeated, and not at all if it is
 * skipped.
 */
function nextTimeOfDay(cron: Cron, after: Date, timezone: string): Date | null {
  let local = localTimeOf(after, timezone);
  for (;;) {
    const next = cron.nextRun(local);
    if (next === null) return null;
    const time = instantOf(next, timezone);
    if (time > after) return time;
    local = next;
  }
}

/** Returns the local time at an instant, as if it were UTC. */
function localTimeOf(instant: Date, timezone: string): Date {
  const local = Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(timezone);
  return new Date(local.toPlainDateTime().toZonedDateTime("UTC").epochMilliseconds);
}

/** Returns the first instant with this local time. If the clock skips it, returns when the clock is set forward. */
function instantOf(local: Date, timezone: string): Date {
  const plain = Temporal.Instant.fromEpochMilliseconds(local.getTime()).toZonedDateTimeISO("UTC").toPlainDateTime();
  const zoned = plain.toZonedDateTime(timezone, { disambiguation: "earlier" });
  const isShown = zoned.toPlainDateTime().equals(plain);
  const time = isShown ? zoned : zoned.getTimeZoneTransition("next") ?? zoned;
  return new Date(time.epochMilliseconds);
}
