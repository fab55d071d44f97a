import { UsageError } from "@ncolony/core";
import type { ZoneFacts } from "@ncolony/host";

/** A time zone, and where it was found. */
export interface Zone {
  /** Its name, such as Europe/Berlin, or its offset from UTC, such as +09:00. */
  readonly name: string;
  /** Where it was found; null: the option `--timezone`. */
  readonly source: string | null;
}

const LOCALTIME = "/etc/localtime";

/** A POSIX time zone without daylight saving time: `JST-9`, `<+0330>-3:30`. Offsets west of UTC are positive. */
const FIXED = /^(?:[A-Za-z]{3,}|<[\w+-]+>)([+-]?)(\d{1,2})(?::([0-5]\d))?$/;

/** Whether a name is that of a known time zone. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    // RangeError: the name is unknown.
    return false;
  }
}

/**
 * Returns the time zone of a machine. It is that of `TZ`, or else of /etc/localtime, as the C library reads them.
 *
 * @param facts What the machine reports; null if it cannot be asked.
 * @param guess The time zone of JavaScript. It is used only if its file is the same as the machine's.
 * @throws {UsageError} If its name is unknown. The message says where the time zone was searched for.
 */
export function machineZone(facts: ZoneFacts | null, guess: string): Zone {
  if (facts === null) throw unknown("cannot find out the machine's time zone without /bin/sh");
  const { tz, file } = facts;
  if (tz === null && file === null) return { name: "UTC", source: `no ${LOCALTIME}` };
  const source = tz === null ? LOCALTIME : "TZ";
  const text = (tz ?? "").replace(/^:/, "");
  if (tz !== null && text === "") return { name: "UTC", source: "TZ is empty" };
  const name = nameOfFile(file) ?? nameOfText(text);
  if (name !== null) return { name, source };
  if (file !== null && isZone(guess) && facts.isFileOf(guess)) return { name: guess, source };
  throw unknown(
    tz === null ? `${LOCALTIME} is not the file of a known time zone` : `TZ=${tz} is not a known time zone`,
  );
}

/** Returns the time zone of a file; null if it is unknown. */
function nameOfFile(file: string | null): string | null {
  const name = /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(file ?? "")?.[1];
  return name !== undefined && isZone(name) ? name : null;
}

/** Returns the time zone that the text of `TZ` names, for machines without time zone files; null if it is unknown. */
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
  return new UsageError(`${what}: use --timezone with a name such as Europe/Berlin`);
}
