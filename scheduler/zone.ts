import { UsageError } from "@ncolony/core";
import type { ZoneFacts } from "@ncolony/host";

/** A time zone, and how it is known. */
export interface Zone {
  /** Its name, as Europe/Berlin, or its distance from UTC, as +09:00. */
  readonly name: string;
  /** Where that is said; null: by the option `--timezone`. */
  readonly source: string | null;
}

const LOCALTIME = "/etc/localtime";

/** A zone of POSIX without daylight saving: `JST-9`, `<+0330>-3:30`. What is west of UTC is positive there. */
const FIXED = /^(?:[A-Za-z]{3,}|<[\w+-]+>)([+-]?)(\d{1,2})(?::([0-5]\d))?$/;

/** Whether the tables of time zones know a name. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    // RangeError: there is none of that name.
    return false;
  }
}

/**
 * The time zone of a machine: that of `TZ`, else of /etc/localtime, as the C library reads them; never a guess.
 *
 * @param facts What the machine says; null where it cannot be asked.
 * @param guess What JavaScript takes for the zone, which is used only where the machine confirms it.
 * @throws {UsageError} Where it is not known by a name; the message names where it was looked for.
 */
export function machineZone(facts: ZoneFacts | null, guess: string): Zone {
  if (facts === null) throw unknown("the machine's time zone cannot be asked for: there is no /bin/sh");
  const { tz, file } = facts;
  if (tz === null && file === null) return { name: "UTC", source: `no ${LOCALTIME}` };
  const source = tz === null ? LOCALTIME : "TZ";
  const text = (tz ?? "").replace(/^:/, "");
  if (tz !== null && text === "") return { name: "UTC", source: "TZ is empty" };
  const name = nameOfFile(file) ?? nameOfText(text);
  if (name !== null) return { name, source };
  if (file !== null && isZone(guess) && facts.isFileOf(guess)) return { name: guess, source };
  throw unknown(
    tz === null ? `${LOCALTIME} is the file of no zone that is known` : `TZ=${tz} is no zone that is known`,
  );
}

/** The zone whose file this is. */
function nameOfFile(file: string | null): string | null {
  const name = /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(file ?? "")?.[1];
  return name !== undefined && isZone(name) ? name : null;
}

/** The zone that the text of `TZ` names where there are no files of zones. */
function nameOfText(text: string): string | null {
  const fixed = FIXED.exec(text);
  if (fixed !== null) return offsetOf(fixed[1] === "-" ? "+" : "-", Number(fixed[2]), fixed[3] ?? "00");
  return /^[A-Za-z]/.test(text) && isZone(text) ? text : null;
}

function offsetOf(sign: string, hours: number, minutes: string): string | null {
  const name = `${sign}${`${hours}`.padStart(2, "0")}:${minutes}`;
  return isZone(name) ? name : null;
}

function unknown(what: string): UsageError {
  return new UsageError(`${what}: give --timezone, as Europe/Berlin`);
}
