import { UsageError } from "@ncolony/core";
import { Cron } from "croner";
import { isZone } from "./zone.ts";

/** The fields of a cron expression with seconds, in order, and what each takes. */
const FIELDS = [
  ["second", "0 to 59"],
  ["minute", "0 to 59"],
  ["hour", "0 to 23"],
  ["day of the month", "1 to 31, or L"],
  ["month", "1 to 12, or JAN to DEC"],
  ["day of the week", "0 to 7, or SUN to SAT"],
] as const;

/** Names for common times. */
const NAMES = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/** The times that a cron expression names. */
export interface CronTimes {
  /** The first one after an instant, or null where none follows. */
  nextRun(after: Date): Date | null;
}

/**
 * Parses a cron expression: five fields, or six where the first one is seconds; or `@hourly`, `@daily` and their like.
 *
 * A time of day that daylight saving leaves out comes when it has set the clock, and one that it repeats comes once.
 * Expressions with a `*` for the minute or the hour, such as every half an hour, go on through both.
 *
 * @param expression The expression.
 * @param timezone An IANA time zone, or a distance from UTC, as +09:00.
 * @throws {UsageError} Where it is wrong; the message names the field.
 */
export function parseCron(expression: string, timezone: string): CronTimes {
  if (!isZone(timezone)) {
    throw new UsageError(`--timezone ${JSON.stringify(timezone)} is not known, such as Europe/Berlin is`);
  }
  const shown = `--cron ${JSON.stringify(expression)}`;
  const text = expression.trim();
  if (text.startsWith("@")) {
    if (!NAMES.includes(text.toLowerCase())) throw new UsageError(`${shown} is none of ${NAMES.join(", ")}`);
    // croner does not know that name.
    const known = text.toLowerCase() === "@midnight" ? "@daily" : text;
    return new Cron(known, { paused: true, timezone });
  }
  const fields = text === "" ? [] : text.split(/\s+/);
  if (fields.length < 5 || fields.length > 6) {
    const years = fields.length === 7 ? ", and no year" : "";
    throw new UsageError(
      `${shown} must have five fields, or six with seconds before them${years}: got ${fields.length}`,
    );
  }
  checkFields(shown, fields);
  const [minute, hour] = fields.slice(-5);
  if (minute!.includes("*") || hour!.includes("*")) return new Cron(text, { paused: true, timezone });
  const cron = new Cron(text, { paused: true, timezone: "UTC" });
  return { nextRun: (after) => nextTimeOfDay(cron, after, timezone) };
}

/** The next times of a cron expression, a line each: `2026-03-29 03:00:00 GMT+02:00`. */
export function nextTimes(cron: CronTimes, count: number, after: Date, timezone: string): string[] {
  const lines: string[] = [];
  for (let time = cron.nextRun(after); time !== null && lines.length < count; time = cron.nextRun(time)) {
    lines.push(formatTime(time, timezone));
  }
  return lines;
}

/** A time for a person, in a time zone. */
export function formatTime(time: Date, timezone: string): string {
  // Sweden writes dates as ISO does.
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

/** Tries each field alone, for croner does not always say which one is wrong. */
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

/** What a person may have meant by a field that is wrong; null: who knows. */
function slipIn(field: string, index: number): string | null {
  for (const part of field.split(",")) {
    const [, from, to, step] = /^(\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ?? [];
    if (from === undefined || !isCronField(from, index)) continue;
    const last = LAST[index]!;
    if (to !== undefined && isCronField(to, index) && !isCronField(`${from}-${to}`, index)) {
      return `whose range goes backwards: ${from}-${last},${FIRST[index]}-${to}`;
    }
    if (to === undefined && step !== undefined) return `whose step needs a range: ${from}-${last}/${step}`;
  }
  return null;
}

/** The first and the last value of each field. */
const FIRST = ["0", "0", "0", "1", "1", "SUN"];
const LAST = ["59", "59", "23", "31", "12", "SAT"];

/** Whether something is right in one of the six fields. */
function isCronField(text: string, index: number): boolean {
  return isCron(FIELDS.map((_, other) => other === index ? text : "*").join(" "));
}

function isCron(expression: string): boolean {
  try {
    new Cron(expression, { paused: true });
    return true;
  } catch {
    // A TypeError or a RangeError, which say less than we know.
    return false;
  }
}

/**
 * The next time of day of an expression with no `*` for hour and minute. It is looked for among the hands of a clock, as if
 * they were UTC, for croner lets more than one time in the hour that is repeated come twice, and none in the one left out.
 */
function nextTimeOfDay(cron: Cron, after: Date, timezone: string): Date | null {
  let hands = handsOf(after, timezone);
  for (;;) {
    const next = cron.nextRun(hands);
    if (next === null) return null;
    const time = instantOf(next, timezone);
    if (time > after) return time;
    hands = next;
  }
}

/** What a clock shows at an instant, as if it were UTC. */
function handsOf(instant: Date, timezone: string): Date {
  const local = Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(timezone);
  return new Date(local.toPlainDateTime().toZonedDateTime("UTC").epochMilliseconds);
}

/** When a clock shows this for the first time; where it is never shown, when the clock is set forward past it. */
function instantOf(hands: Date, timezone: string): Date {
  const plain = Temporal.Instant.fromEpochMilliseconds(hands.getTime()).toZonedDateTimeISO("UTC").toPlainDateTime();
  const zoned = plain.toZonedDateTime(timezone, { disambiguation: "earlier" });
  const isShown = zoned.toPlainDateTime().equals(plain);
  const time = isShown ? zoned : zoned.getTimeZoneTransition("next") ?? zoned;
  return new Date(time.epochMilliseconds);
}
