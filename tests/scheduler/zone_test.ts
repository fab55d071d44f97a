import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UsageError } from "@ncolony/core";
import type { ZoneFacts } from "@ncolony/host";
import { machineZone } from "../../scheduler/zone.ts";

/** What a machine says; its files are those of their own zones. */
function facts(tz: string | null, file: string | null, same: string | null = null): ZoneFacts {
  return { tz, file, isFileOf: (zone) => zone === same };
}

const TOKYO = "/usr/share/zoneinfo/Asia/Tokyo";

const KNOWN: readonly (readonly [what: string, facts: ZoneFacts, guess: string, name: string, source: string])[] = [
  ["a link of /etc/localtime", facts(null, TOKYO), "UTC", "Asia/Tokyo", "/etc/localtime"],
  ["no /etc/localtime", facts(null, null), "UTC", "UTC", "no /etc/localtime"],
  [
    "a copy of a zone's file",
    facts(null, "/etc/localtime", "Asia/Tokyo"),
    "Asia/Tokyo",
    "Asia/Tokyo",
    "/etc/localtime",
  ],
  ["a name in TZ", facts("Asia/Tokyo", TOKYO), "Asia/Tokyo", "Asia/Tokyo", "TZ"],
  ["a name with a colon", facts(":Asia/Tokyo", TOKYO), "Asia/Tokyo", "Asia/Tokyo", "TZ"],
  ["a path in TZ", facts(TOKYO, TOKYO), "UTC", "Asia/Tokyo", "TZ"],
  ["a path that leads on", facts("/etc/zone", TOKYO), "UTC", "Asia/Tokyo", "TZ"],
  ["a path of the other kinds", facts("x", "/usr/share/zoneinfo/right/Asia/Tokyo"), "UTC", "Asia/Tokyo", "TZ"],
  ["an empty TZ", facts("", "/usr/share/zoneinfo"), "Etc/Unknown", "UTC", "TZ is empty"],
  ["a colon alone", facts(":", "/usr/share/zoneinfo"), "Etc/Unknown", "UTC", "TZ is empty"],
  ["a name where there are no files", facts("Asia/Tokyo", null), "Asia/Tokyo", "Asia/Tokyo", "TZ"],
  ["a zone east of UTC", facts("JST-9", null), "UTC", "+09:00", "TZ"],
  ["a zone west of UTC", facts("GMT+3", null), "+03:00", "-03:00", "TZ"],
  ["a zone with minutes", facts("<+0330>-3:30", null), "UTC", "+03:30", "TZ"],
];

for (const [what, known, guess, name, source] of KNOWN) {
  Deno.test(`machineZone() knows ${what}`, () => {
    assertEquals(machineZone(known, guess), { name, source });
  });
}

const UNKNOWN: readonly (readonly [what: string, facts: ZoneFacts | null, guess: string, names: RegExp])[] = [
  ["a zone of no name", facts("Mars/Base", null), "UTC", /^TZ=Mars\/Base is no zone that is known: give --timezone/],
  ["daylight saving by rules", facts("CET-1CEST,M3.5.0,M10.5.0/3", null), "UTC", /^TZ=CET-1CEST,M3/],
  ["a file of its own", facts("/srv/zone", "/srv/zone"), "UTC", /^TZ=\/srv\/zone is no zone/],
  [
    "a copy that is no zone's",
    facts(null, "/etc/localtime"),
    "Europe/Berlin",
    /^\/etc\/localtime is the file of no zone/,
  ],
  ["a distance that is none", facts("ABC-99", null), "UTC", /^TZ=ABC-99 is/],
  ["what cannot be asked", null, "Europe/Berlin", /^the machine's time zone cannot be asked for/],
];

for (const [what, unknown, guess, names] of UNKNOWN) {
  Deno.test(`machineZone() refuses ${what}, and names where it came from`, () => {
    assertMatch(assertThrows(() => machineZone(unknown, guess), UsageError).message, names);
  });
}
