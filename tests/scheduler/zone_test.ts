import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UsageError } from "@ncolony/core";
import type { ZoneFacts } from "@ncolony/host";
import { machineZone } from "../../scheduler/zone.ts";

/** Returns the facts of a machine whose zone file is that of the zone `same`. */
function facts(tz: string | null, file: string | null, same: string | null = null): ZoneFacts {
  return { tz, file, isFileOf: (zone) => zone === same };
}

const TOKYO = "/usr/share/zoneinfo/Asia/Tokyo";

const KNOWN: readonly (readonly [what: string, facts: ZoneFacts, guess: string, name: string, source: string])[] = [
  ["a symbolic link at /etc/localtime", facts(null, TOKYO), "UTC", "Asia/Tokyo", "/etc/localtime"],
  ["a missing /etc/localtime", facts(null, null), "UTC", "UTC", "no /etc/localtime"],
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
  ["a path of a symbolic link in TZ", facts("/etc/zone", TOKYO), "UTC", "Asia/Tokyo", "TZ"],
  ["a path of another zoneinfo tree", facts("x", "/usr/share/zoneinfo/right/Asia/Tokyo"), "UTC", "Asia/Tokyo", "TZ"],
  ["an empty TZ", facts("", "/usr/share/zoneinfo"), "Etc/Unknown", "UTC", "TZ is empty"],
  ["a colon alone", facts(":", "/usr/share/zoneinfo"), "Etc/Unknown", "UTC", "TZ is empty"],
  ["a name if there are no zone files", facts("Asia/Tokyo", null), "Asia/Tokyo", "Asia/Tokyo", "TZ"],
  ["a zone east of UTC", facts("JST-9", null), "UTC", "+09:00", "TZ"],
  ["a zone west of UTC", facts("GMT+3", null), "+03:00", "-03:00", "TZ"],
  ["a zone with minutes", facts("<+0330>-3:30", null), "UTC", "+03:30", "TZ"],
];

for (const [what, known, guess, name, source] of KNOWN) {
  Deno.test(`machineZone() recognizes ${what}`, () => {
    assertEquals(machineZone(known, guess), { name, source });
  });
}

const UNKNOWN: readonly (readonly [what: string, facts: ZoneFacts | null, guess: string, names: RegExp])[] = [
  ["an unknown zone name", facts("Mars/Base", null), "UTC", /^TZ=Mars\/Base is not a known time zone: use --timezone/],
  ["daylight saving rules", facts("CET-1CEST,M3.5.0,M10.5.0/3", null), "UTC", /^TZ=CET-1CEST,M3/],
  ["a custom zone file", facts("/srv/zone", "/srv/zone"), "UTC", /^TZ=\/srv\/zone is not a known time zone/],
  [
    "a copy of no known zone file",
    facts(null, "/etc/localtime"),
    "Europe/Berlin",
    /^\/etc\/localtime is not the file of a known time zone/,
  ],
  ["an invalid offset", facts("ABC-99", null), "UTC", /^TZ=ABC-99 is/],
  ["a machine's zone that it may not read", null, "Europe/Berlin", /^cannot find out the machine's time zone without/],
];

for (const [what, unknown, guess, names] of UNKNOWN) {
  Deno.test(`machineZone() rejects ${what}, and names its source`, () => {
    assertMatch(assertThrows(() => machineZone(unknown, guess), UsageError).message, names);
  });
}
