import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UsageError } from "@ncolony/core";
import { nextTimes, parseCron } from "../../scheduler/cron.ts";

const BERLIN = "Europe/Berlin";
const NEW_YORK = "America/New_York";

/** Returns the next times after an instant, without seconds. */
function next(expression: string, timezone: string, after: string, count: number): string[] {
  return nextTimes(parseCron(expression, timezone), count, new Date(after), timezone)
    .map((line) => line.replace(/:00 GMT/, " ").replace("−", "-"));
}

const DAYS:
  readonly (readonly [zone: string, season: string, expression: string, after: string, ...times: string[]])[] = [
    [BERLIN, "spring", "30 2 * * *", "2026-03-28T12:00Z", "03-29 03:00 +02:00", "03-30 02:30 +02:00"],
    [NEW_YORK, "spring", "30 2 * * *", "2026-03-07T12:00Z", "03-08 03:00 -04:00", "03-09 02:30 -04:00"],
    [BERLIN, "spring", "0,30 2 * * *", "2026-03-28T12:00Z", "03-29 03:00 +02:00", "03-30 02:00 +02:00"],
    [BERLIN, "spring", "0 2,14 * * *", "2026-03-28T14:00Z", "03-29 03:00 +02:00", "03-29 14:00 +02:00"],
    [BERLIN, "autumn", "30 2 * * *", "2026-10-24T12:00Z", "10-25 02:30 +02:00", "10-26 02:30 +01:00"],
    [NEW_YORK, "autumn", "30 1 * * *", "2026-10-31T12:00Z", "11-01 01:30 -04:00", "11-02 01:30 -05:00"],
    [BERLIN, "autumn", "0 30 2 * * *", "2026-10-24T12:00Z", "10-25 02:30 +02:00", "10-26 02:30 +01:00"],
    [BERLIN, "autumn", "0 2,14 * * *", "2026-10-24T13:00Z", "10-25 02:00 +02:00", "10-25 14:00 +01:00"],
  ];

for (const [zone, season, expression, after, ...times] of DAYS) {
  const sentence = season === "spring" ? "does not exist" : "exists twice";
  Deno.test(`parseCron() runs a time that ${sentence} in ${season} once: ${expression} in ${zone}`, () => {
    assertEquals(next(expression, zone, after, times.length), times.map((time) => `2026-${time}`));
  });
}

const CHANGES: readonly (readonly [zone: string, season: string, instant: string])[] = [
  [BERLIN, "spring", "2026-03-29T01:00:00Z"],
  [BERLIN, "autumn", "2026-10-25T01:00:00Z"],
  [NEW_YORK, "spring", "2026-03-08T07:00:00Z"],
  [NEW_YORK, "autumn", "2026-11-01T06:00:00Z"],
];

for (const [zone, season, instant] of CHANGES) {
  for (
    const [expression, everyMinutes] of [["*/30 * * * *", 30], ["0 * * * *", 60], ["*/20 * * * * *", 1 / 3]] as const
  ) {
    Deno.test(`parseCron() keeps the interval of ${expression} through the time change in ${season} in ${zone}`, () => {
      const distance = everyMinutes * 60_000;
      const after = Date.parse(instant) - 4 * distance;
      const expected = Array.from({ length: 12 }, (_, k) => new Date(after + (k + 1) * distance));
      const cron = parseCron(expression, zone);
      const times = expected.map((_, k) => cron.nextRun(k === 0 ? new Date(after) : expected[k - 1]!));
      assertEquals(times, expected);
    });
  }
}

Deno.test("parseCron() accepts six fields with seconds first, and names for common times", () => {
  const utc = (expression: string) => parseCron(expression, "UTC").nextRun(new Date("2026-01-10T10:20:30Z"))?.toJSON();
  assertEquals(utc("*/7 * * * * *"), "2026-01-10T10:20:35.000Z");
  assertEquals(utc("15 20 * * * *"), "2026-01-10T11:20:15.000Z");
  assertEquals(utc("20 10 * * *"), "2026-01-11T10:20:00.000Z");
  assertEquals(utc("  20   10 * * *  "), "2026-01-11T10:20:00.000Z");
  assertEquals([utc("@hourly"), utc("@daily")], ["2026-01-10T11:00:00.000Z", "2026-01-11T00:00:00.000Z"]);
  assertEquals([utc("@weekly"), utc("@monthly")], ["2026-01-11T00:00:00.000Z", "2026-02-01T00:00:00.000Z"]);
  assertEquals(utc("0 12 * * MON-FRI"), "2026-01-12T12:00:00.000Z");
});

Deno.test("parseCron() reads the fields in the time zone", () => {
  const at = (timezone: string) => parseCron("0 3 * * *", timezone).nextRun(new Date("2026-07-01T12:00Z"))?.toJSON();
  assertEquals(at(BERLIN), "2026-07-02T01:00:00.000Z");
  assertEquals(at(NEW_YORK), "2026-07-02T07:00:00.000Z");
  assertEquals(at("Asia/Kathmandu"), "2026-07-01T21:15:00.000Z");
});

Deno.test("nextTimes() returns a line per time with its UTC offset, and none if no time follows", () => {
  const times = (expression: string, timezone: string) => {
    return nextTimes(parseCron(expression, timezone), 2, new Date("2026-03-28T12:00Z"), timezone);
  };
  assertEquals(times("0 6 * * *", BERLIN), ["2026-03-29 06:00:00 GMT+02:00", "2026-03-30 06:00:00 GMT+02:00"]);
  assertEquals(times("5 0 6 * * *", "UTC"), ["2026-03-29 06:00:05 GMT", "2026-03-30 06:00:05 GMT"]);
  assertEquals(times("0 0 30 2 *", BERLIN), []);
});

const WRONG: readonly (readonly [expression: string, names: RegExp])[] = [
  ["", /must have five fields, or six with seconds/],
  ["* * * *", /must have five fields, or six with seconds first: got 4/],
  ["* * * * * * *", /must have five fields, or six with seconds first, and no year: got 7/],
  ["60 * * * *", /the minute must be 0 to 59, .*: got 60$/],
  ["* 24 * * *", /the hour must be 0 to 23, .*: got 24$/],
  ["* * 32 * *", /the day of the month must be 1 to 31, .*: got 32$/],
  ["* * 0 * *", /the day of the month must be .*: got 0$/],
  ["* * * 13 *", /the month must be 1 to 12, .*: got 13$/],
  ["* * * * 8", /the day of the week must be 0 to 7, .*: got 8$/],
  ["60 * * * * *", /the second must be 0 to 59, .*: got 60$/],
  ["x * * * *", /the minute must be .*: got x$/],
  ["* * * * MOX", /the day of the week must be .*: got MOX$/],
  ["* */0 * * *", /hour/],
  ["* 5-1 * * *", /hour/],
  ["- * * * *", /minute/],
  ["*/61 * * * *", /minute/],
  ["1,,2 * * * *", /minute/],
  ["a:b * * * *", /minute/],
  ["0 22-2 * * *", /the hour must be .*: got 22-2, a range that goes backwards; write 22-23,0-2$/],
  [
    "0 0 * * FRI-MON",
    /the day of the week must be .*: got FRI-MON, a range that goes backwards; write FRI-SAT,SUN-MON$/,
  ],
  ["0/5 * * * *", /the minute must be .*: got 0\/5, a step without a range; write 0-59\/5$/],
  ["0 0 * * * * 2027", /must have five fields, or six with seconds first, and no year: got 7$/],
  ["* * *", /must have five fields, or six with seconds first: got 3$/],
  ["@often", /must be one of @yearly, .*@hourly/],
];

for (const [expression, names] of WRONG) {
  Deno.test(`parseCron() rejects ${JSON.stringify(expression)}, and names the problem`, () => {
    const { message } = assertThrows(() => parseCron(expression, "UTC"), UsageError);
    assertMatch(message, /^--cron "[^\n]*$/);
    assertMatch(message.slice(`--cron "${expression}"`.length), names);
    assertEquals(message.includes("seven"), false, "seven fields are none of its forms");
  });
}

Deno.test("parseCron() rejects an unknown time zone", () => {
  for (const timezone of ["Mars/Base", "", "Europe/Berlin "]) {
    const { message } = assertThrows(() => parseCron("@daily", timezone), UsageError);
    assertMatch(message, /^--timezone ".*" is unknown/);
  }
});

Deno.test("parseCron() treats @midnight as @daily", () => {
  const [midnight, daily] = ["@midnight", "@daily"].map((name) =>
    nextTimes(parseCron(name, "UTC"), 3, new Date(0), "UTC")
  );
  assertEquals(midnight, daily);
  assertEquals(midnight!.length, 3);
});

Deno.test("parseCron() matches the day of the month or the day of the week, and only one of them beside a *", () => {
  const days = (expression: string) => {
    return nextTimes(parseCron(expression, "UTC"), 6, new Date("2026-03-01T00:00:00Z"), "UTC").map((line) =>
      line.slice(8, 10)
    );
  };
  // 2026-03-06, 13, 20 and 27 are Fridays.
  assertEquals(days("0 0 13,15 * FRI"), ["06", "13", "15", "20", "27", "03"]);
  assertEquals(days("0 0 L * *").slice(0, 1), ["31"]);
  assertEquals(days("0 0 15W * *").slice(0, 1), ["16"]);
  assertEquals(days("0 0 * * FRI#2").slice(0, 1), ["13"]);
});
