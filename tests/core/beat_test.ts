import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Beat, type BeatTimes, isStale, parseBeat, SpecError } from "@ncolony/core";
import recordings from "../golden/beatcheck.json" with { type: "json" };

const GOOD = { period: 10, grace: 3, status: "/run/hearts" };

/** A config with this section. */
function config(section: unknown): string {
  return JSON.stringify({ args: ["httpd"], "ncolony.beatcheck": section });
}

/** Returns the error that rejects a config. */
function refusal(source: string): SpecError {
  const error = assertThrows(() => parseBeat("web", source), SpecError);
  assertEquals([error.file, error.message], ["web", `Cannot parse config "web": ${error.reason}`]);
  return error;
}

for (const [index, recording] of recordings.entries()) {
  const { period, grace, configModified, checkerStarted, now, beat, restart } = recording;
  Deno.test(`isStale() decides as Python NColony does, in recording ${index + 1}`, () => {
    const parsed = parseBeat("web", config({ period, grace, status: "/s" }))!;
    const beatAt = beat === null ? null : beat * 1000;
    const times = {
      changedAt: configModified * 1000,
      startedAt: checkerStarted * 1000,
      bornAt: null,
      askedAt: null,
      beatAt,
    };
    assertEquals(isStale(parsed, times, now * 1000), restart);
  });
}

Deno.test("the recordings cover restarts and no restarts, with and without a beat", () => {
  for (const restart of [true, false]) {
    for (const never of [true, false]) {
      assert(recordings.some((one) => one.restart === restart && (one.beat === null) === never));
    }
  }
});

/**
 * Returns how often a process is restarted in ten minutes if it is checked every 10 s. From 25 s after each start, it
 * beats every second. If it `hangs`, it does not beat after its first start.
 */
function restartsOf(grace: number, { knowsAsked, hangs }: { knowsAsked: boolean; hangs: boolean }): number {
  const beat = { periodMs: 10_000, graceMs: grace * 10_000, status: "/s" };
  let startedAt = 0;
  let askedAt: number | null = null;
  let beatAt: number | null = null;
  let restarts = 0;
  for (let now = 1000; now <= 600_000; now += 1000) {
    if (now - startedAt >= 25_000 && !(hangs && restarts === 0)) beatAt = now;
    if (now % 10_000 > 0) continue;
    const times = { changedAt: 0, startedAt: 0, bornAt: null, askedAt: knowsAsked ? askedAt : null, beatAt };
    if (!isStale(beat, times, now)) continue;
    restarts++;
    askedAt = startedAt = now;
  }
  return restarts;
}

Deno.test("isStale() allows a process with a slow first beat a grace period after each restart", () => {
  const hangs = false;
  assertEquals(restartsOf(1, { knowsAsked: false, hangs }), 59, "Python NColony");
  // The second check is the first one after the end of the grace period.
  assertEquals(restartsOf(1, { knowsAsked: true, hangs }), 30);
  assertEquals(restartsOf(3, { knowsAsked: true, hangs }), 0);
});

Deno.test("isStale() restarts a hung process only once if the grace period is long enough for its first beat", () => {
  const hangs = true;
  assertEquals(restartsOf(3, { knowsAsked: false, hangs }), 57, "Python NColony");
  assertEquals(restartsOf(3, { knowsAsked: true, hangs }), 1);
});

const BEAT: Beat = { periodMs: 10, graceMs: 30, status: "/s" };
const LONG_AGO: BeatTimes = { changedAt: 0, startedAt: 0, bornAt: null, askedAt: null, beatAt: null };

for (const what of ["changedAt", "startedAt", "bornAt", "askedAt"] as const) {
  Deno.test(`isStale() starts the grace period at ${what} if that is the latest time, and includes its end`, () => {
    const times = { ...LONG_AGO, [what]: 1000 };
    assertEquals([1000, 1029, 1030, 1031].map((now) => isStale(BEAT, times, now)), [false, false, false, true]);
  });
}

Deno.test("isStale() allows a heart to be silent for exactly one period", () => {
  const at = (now: number) => isStale(BEAT, { ...LONG_AGO, beatAt: 1000 }, now);
  assertEquals([1000, 1010, 1010.5, 1011].map(at), [false, false, true, true]);
});

Deno.test("isStale() accepts a beat from the future, and ignores a beat before the grace period", () => {
  assertEquals(isStale(BEAT, { ...LONG_AGO, beatAt: 5000 }, 1000), false);
  assertEquals(isStale(BEAT, { ...LONG_AGO, askedAt: 950, beatAt: 940 }, 1000), true);
});

Deno.test("isStale() reports no silent heart within one period after the start of the process", () => {
  const hasty = { ...BEAT, graceMs: 0 };
  const at = (now: number) => isStale(hasty, { ...LONG_AGO, bornAt: 1000, beatAt: 900 }, now);
  assertEquals([1001, 1010, 1011].map(at), [false, false, true]);
});

Deno.test("isStale() supports the shortest and the longest grace period", () => {
  const none = { periodMs: 10, graceMs: 0, status: "/s" };
  assertEquals([0, 1].map((now) => isStale(none, LONG_AGO, now)), [false, true]);
  const longest = parseBeat("web", config({ period: 1e9, grace: 1e9, status: "/s" }))!;
  assert(isStale(longest, LONG_AGO, 1.001e21));
});

Deno.test("parseBeat() reads the beatcheck section of a config, and rejects unknown keys", () => {
  const expected = { periodMs: 10_000, graceMs: 30_000, status: "/run/hearts" };
  assertEquals(parseBeat("web", config(GOOD)), expected);
  const { field, reason } = assertThrows(() => parseBeat("web", config({ ...GOOD, preiod: "hunter2" })), SpecError);
  assertEquals(field, "ncolony.beatcheck.preiod");
  assertEquals(reason, 'unknown key "ncolony.beatcheck.preiod"; known keys: period, grace, status');
  assertEquals(parseBeat("web", config({ period: 0.25, grace: 1.5, status: "hearts" })), {
    periodMs: 250,
    graceMs: 375,
    status: "hearts",
  });
  assertEquals(parseBeat("web", config({ ...GOOD, grace: 0 }))?.graceMs, 0);
});

Deno.test("parseBeat() returns null if a config has no beatcheck section", () => {
  const silent = ['{"args": ["httpd"]}', "{}", config(null), '{"__proto__": {"ncolony.beatcheck": {}}}'];
  for (const source of silent) assertEquals(parseBeat("web", source), null, source);
});

/** For each key, the expected kind of value, and invalid values as JSON with their description in the error. */
const WRONG: Record<string, readonly [wanted: string, wrong: Readonly<Record<string, string>>]> = {
  period: ["a number from 0.01 to 1000000000", {
    '"hunter2"': "a string",
    "null": "null",
    "true": "a boolean",
    '["hunter2"]': "an array",
    '{"hunter2": 1}': "an object",
    "-1": "-1",
    "1000000000.5": "1000000000.5",
    "1e400": "Infinity",
  }],
  grace: ["a number from 0 to 1000000000", { '"hunter2"': "a string", "[]": "an empty array", "-0.5": "-0.5" }],
  status: ["a non-empty string", {
    "3": "a number",
    "null": "null",
    "false": "a boolean",
    '""': "another string",
    '["hunter2"]': "an array",
    '{"hunter2": "hunter2"}': "an object",
    '"hunter2\\u0000"': "another string",
    '"hunter2\\ud800"': "another string",
  }],
};

for (const [key, [wanted, wrong]] of Object.entries(WRONG)) {
  Deno.test(`parseBeat() rejects an invalid ${key}, naming its type, and a missing one`, () => {
    const field = `ncolony.beatcheck.${key}`;
    for (const [value, got] of Object.entries(wrong)) {
      const source = config({ ...GOOD, [key]: "?" }).replace('"?"', value);
      const { field: actual, reason } = refusal(source);
      assertEquals([actual, reason], [field, `"${field}" must be ${wanted}: got ${got}`]);
    }
    const missing = refusal(config({ ...GOOD, [key]: undefined }));
    assertEquals([missing.field, missing.reason], [field, `"${field}" is missing`]);
  });
}

Deno.test("parseBeat() rejects a period of zero", () => {
  for (const zero of ["0", "0.0", "-0", "1e-400"]) {
    const { field, reason } = refusal(config({ ...GOOD, period: "?" }).replace('"?"', zero));
    assertEquals([field, reason], [
      "ncolony.beatcheck.period",
      '"ncolony.beatcheck.period" must be a number from 0.01 to 1000000000: got 0',
    ]);
  }
});

Deno.test("parseBeat() rejects a section or a config that is not an object", () => {
  for (const [value, got] of [["hunter2", "a string"], [3, "a number"], [true, "a boolean"], [[GOOD], "an array"]]) {
    const { field, reason } = refusal(config(value));
    assertEquals([field, reason], ["ncolony.beatcheck", `"ncolony.beatcheck" must be an object: got ${got}`]);
  }
  assertEquals(refusal('["hunter2"]').reason, "must be a JSON object: got an array");
  assertEquals(refusal('{"a": hunter2}').reason, 'invalid JSON at line 1, column 7: a string needs " around it');
  assertEquals(refusal("").field, null);
});
