import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import {
  beginHttpCheck,
  type HttpCheck,
  type HttpEffect,
  type HttpEvent,
  type HttpState,
  isGoodStatus,
  isSameLife,
  type Life,
  parseHttpCheck,
  SpecError,
  stepHttpCheck,
  UNKNOWN_LIFE,
} from "@ncolony/core";
import { Random } from "./random.ts";
import { freeze } from "./samples.ts";

const URL = "http://user:hunter2@127.0.0.1:8080/?token=hunter2";
const GOOD = { url: URL, period: 10, timeout: 3, grace: 3, maxBad: 2 };

/** How a server is reached by default. */
const PLAIN = { headers: {}, unix: null, ca: null, isInsecure: false };

/** A config with this section. */
function config(section: unknown): string {
  return JSON.stringify({ args: ["httpd"], "ncolony.httpcheck": section });
}

/** Parses a config with these keys added to its section, or replaced in it. */
function parse(keys: Record<string, unknown>): HttpCheck {
  return parseHttpCheck("web", config({ ...GOOD, ...keys }))!;
}

/** Returns the reason why this value, as JSON, of a key of the section is rejected. */
function refusal(key: string, value: string): string {
  const source = config({ ...GOOD, [key]: "?" }).replace('"?"', value);
  const { file, field, message, reason } = assertThrows(() => parseHttpCheck("web", source), SpecError);
  const path = `ncolony.httpcheck.${key}`;
  assertEquals([file, field, message], ["web", path, `Cannot parse config "web": ${reason}`]);
  assert(!message.includes("hunter2") && reason.startsWith(`"${path}" must `), reason);
  return reason.slice(path.length + '"" must '.length);
}

Deno.test("parseHttpCheck() reads the httpcheck section of a config, and rejects unknown keys", () => {
  const times = { periodMs: 10_000, timeoutMs: 3000, graceMs: 30_000 };
  assertEquals(parse({}), { url: URL, ...times, maxBad: 2, expect: null, ...PLAIN });
  const { field, reason } = assertThrows(() => parse({ headres: "hunter2" }), SpecError);
  const keys = "url, period, timeout, grace, maxBad, expect, headers, unix, ca, insecure";
  assertEquals([field, reason], [
    "ncolony.httpcheck.headres",
    `unknown key "ncolony.httpcheck.headres"; known keys: ${keys}`,
  ]);
  assertEquals(parse({ period: 2, timeout: 30, grace: 0, maxBad: 0 }), {
    url: URL,
    periodMs: 2000,
    timeoutMs: 2000,
    graceMs: 0,
    maxBad: 0,
    expect: null,
    ...PLAIN,
  });
});

Deno.test("parseHttpCheck() reads how the server is reached", () => {
  const { headers, unix, ca, isInsecure } = parse({
    headers: { Host: "a.example", "X-B": "c\u00e9" },
    unix: "/s",
    url: "https://a/",
    ca: "/c",
  });
  const useless = assertThrows(() => parse({ ca: "/hunter2" }), SpecError);
  assertEquals([useless.field, useless.reason.includes("hunter2")], ["ncolony.httpcheck.ca", false]);
  assertEquals([headers, unix, ca, isInsecure], [{ Host: "a.example", "X-B": "c\u00e9" }, "/s", "/c", false]);
  assertEquals(parse({ insecure: true }).isInsecure, true);
  for (const [key, value] of [["unix", '"s"'], ["ca", "3"], ["insecure", '"no"'], ["headers", "[]"]] as const) {
    assert(/^be .+: got \S/.test(refusal(key, value)), key);
  }
  const { field, reason } = assertThrows(() => parse({ url: "https://a/", ca: "/hunter2", insecure: true }), SpecError);
  assertEquals([field, reason.includes("hunter2")], ["ncolony.httpcheck.ca", false]);
});

Deno.test("parseHttpCheck() rejects headers that would break the request, and does not show their values", () => {
  const bad: readonly (readonly [string, unknown])[] = [
    ["a b", "hunter2"],
    ["", "hunter2"],
    ["a:b", "hunter2"],
    ["x", "hunter2\r\nhost: other"],
    ["x", "hunter2\0"],
    ["x", "hunter2\u20ac"],
    ["x", 3],
    ["x", ["hunter2"]],
    ["Content-Length", "5"],
    ["transfer-encoding", "chunked"],
    ["Connection", "keep-alive"],
  ];
  for (const [name, value] of bad) {
    const { field, message } = assertThrows(() => parse({ headers: { [name]: value } }), SpecError);
    assert(field?.startsWith("ncolony.httpcheck.headers") && !message.includes("hunter2"), message);
  }
});

Deno.test("parseHttpCheck() returns null if a config has no httpcheck section", () => {
  for (const source of ["{}", config(null), '{"ncolony.beatcheck": {}}']) {
    assertEquals(parseHttpCheck("web", source), null, source);
  }
});

Deno.test("parseHttpCheck() accepts only http and https URLs", () => {
  for (const url of ["http://a", "https://a/", "HTTPS://[::1]:8443/a?b#c"]) assertEquals(parse({ url }).url, url);
  for (
    const url of ["ftp://hunter2", "hunter2", "file:///hunter2", "httpx://hunter2", " http://a", "http:/a", "data:,"]
  ) {
    assertEquals(refusal("url", JSON.stringify(url)), "begin with http:// or https://");
  }
});

Deno.test("parseHttpCheck() accepts one expected status, several, or any", () => {
  assertEquals([204, [200, 503], "any", 100, 599].map((expect) => parse({ expect }).expect), [
    [204],
    [200, 503],
    "any",
    [100],
    [599],
  ]);
  for (const wrong of ["99", "600", "200.5", '"200"', '"Any"', "null", "true", "[]", "{}", "[200, null]", '["any"]']) {
    assert(
      refusal("expect", wrong).startsWith('be a status from 100 to 599, an array of those, or "any": got '),
      wrong,
    );
  }
});

Deno.test("parseHttpCheck() rejects invalid and missing values, naming their types", () => {
  const wrong: Record<string, readonly string[]> = {
    url: ["3", "null", "true", '""', "[]", "{}", '"http://\\u0000"', '["hunter2"]'],
    period: ["null", '"10"', "true", "[]", "-1", "0", "-0", "1e400", "1000000001"],
    timeout: ["null", '"10"', "true", "{}", "-1", "0", "1e400", "1000000001"],
    grace: ["null", '"hunter2"', "true", "[]", "-1", "1e400", "1000000001"],
    maxBad: ["null", '"2"', "true", "[]", "-1", "1.5", "1e400", "1000000001"],
  };
  for (const [key, values] of Object.entries(wrong)) {
    for (const value of values) assert(/^be .+: got \S/.test(refusal(key, value)), value);
    const missing = assertThrows(() => parse({ [key]: undefined }), SpecError);
    const field = `ncolony.httpcheck.${key}`;
    assertEquals([missing.field, missing.reason], [field, `"${field}" is missing`]);
  }
  assertEquals(refusal("maxBad", "1.5"), "be an integer: got 1.5");
  assertEquals(refusal("maxBad", "-1"), "be a number from 0 to 1000000000: got -1");
  for (const section of [3, "hunter2", [], true]) {
    const { field, reason } = assertThrows(() => parseHttpCheck("web", config(section)), SpecError);
    assertEquals([field, reason.includes("hunter2")], ["ncolony.httpcheck", false]);
  }
});

Deno.test("isGoodStatus() accepts 200 to 399, or the expected statuses instead", () => {
  const goodOf = (keys: Record<string, unknown>) =>
    [101, 199, 200, 204, 301, 399, 400, 404, 500, 599].filter((status) => isGoodStatus(parse(keys), status));
  assertEquals(goodOf({}), [200, 204, 301, 399]);
  assertEquals(goodOf({ expect: 404 }), [404]);
  assertEquals(goodOf({ expect: [500, 204] }), [204, 500]);
  assertEquals(goodOf({ expect: "any" }).length, 10);
});

const CHECK: HttpCheck = freeze({
  url: URL,
  periodMs: 10,
  timeoutMs: 5,
  graceMs: 30,
  maxBad: 1,
  expect: null,
  ...PLAIN,
});
const UP: Life = { type: "up", since: 50 };
const DOWN: Life = { type: "down" };
const BEGUN: HttpState = beginHttpCheck(CHECK, 70);
const WAITING: HttpState = { ...BEGUN, askAt: 100, askedAt: 90, life: UP };
const ASKING: HttpState = { ...WAITING, askAt: 110, askedAt: 100, isAsking: true };
const ANSWERED: HttpState = { ...ASKING, isAsking: false };

const tick = (life: Life = UP): HttpEvent => ({ type: "tick", life });
const answer = (isGood: boolean | null, life: Life = UP): HttpEvent => ({ type: "answer", isGood, life });

/** Each case: the state, the event, the time, and the state and effect that follow. */
const CELLS: Record<string, readonly [HttpState, HttpEvent, number, HttpState, HttpEffect]> = {
  "sends no request before it is due": [WAITING, tick(), 99, WAITING, null],
  "sends a request when it is due": [WAITING, tick(), 100, ASKING, "ask"],
  "sends a late request, and the next one a period later": [WAITING, tick(), 135, {
    ...ASKING,
    askedAt: 135,
    askAt: 145,
  }, "ask"],
  "keeps the count of bad answers when it sends a request": [
    { ...WAITING, bad: 1 },
    tick(),
    100,
    { ...ASKING, bad: 1 },
    "ask",
  ],
  "sends no second request while it waits for an answer": [ASKING, tick(), 500, ASKING, null],
  "sends a request if it is unknown whether the process runs": [
    { ...WAITING, life: UNKNOWN_LIFE },
    tick(UNKNOWN_LIFE),
    100,
    { ...ASKING, life: UNKNOWN_LIFE },
    "ask",
  ],
  "sends no request for a grace period after the start of a process": [
    { ...WAITING, bad: 1 },
    tick({ type: "up", since: 95 }),
    100,
    { ...WAITING, life: { type: "up", since: 95 }, askAt: 125 },
    null,
  ],
  "sends a request at once if a process started a grace period ago": [BEGUN, tick(), 100, { ...ASKING }, "ask"],
  "sends no request to a process that does not run": [
    WAITING,
    tick(DOWN),
    100,
    { ...WAITING, life: DOWN, askAt: 110 },
    null,
  ],
  "sends no request to a process whose restart was requested": [
    { ...WAITING, isRequested: true },
    tick(),
    100,
    { ...WAITING, isRequested: true, askAt: 110 },
    null,
  ],
  "sends a request again once the process was started after the restart request": [
    { ...WAITING, isRequested: true, life: { type: "up", since: 5 } },
    tick(),
    100,
    ASKING,
    "ask",
  ],
  "accepts a good answer": [ASKING, answer(true), 101, ANSWERED, null],
  "forgets bad answers after a good one": [{ ...ASKING, bad: 1 }, answer(true), 101, ANSWERED, null],
  "counts a bad answer": [ASKING, answer(false), 101, { ...ANSWERED, bad: 1 }, null],
  "requests a restart after one bad answer too many": [
    { ...ASKING, bad: 1 },
    answer(false),
    105,
    { ...ANSWERED, askAt: 135 },
    "restart",
  ],
  "counts nothing if the request could not be sent": [
    { ...ASKING, bad: 1 },
    answer(null),
    101,
    { ...ANSWERED, bad: 1 },
    null,
  ],
  "ignores an answer from before the last start": [
    { ...ASKING, bad: 1 },
    answer(false, { type: "up", since: 99 }),
    101,
    { ...ANSWERED, life: { type: "up", since: 99 }, askAt: 129 },
    null,
  ],
  "ignores an answer from a process that is gone": [
    { ...ASKING, bad: 1 },
    answer(false, DOWN),
    101,
    { ...ANSWERED, life: DOWN, askAt: 111 },
    null,
  ],
};

for (const [what, [state, event, now, after, effect]] of Object.entries(CELLS)) {
  Deno.test(`stepHttpCheck() ${what}`, () => {
    assertEquals(stepHttpCheck(CHECK, freeze({ ...state }), event, now), [after, effect]);
  });
}

Deno.test("stepHttpCheck() begins with the grace period, and tolerates no bad answer if maxBad is 0", () => {
  assertEquals(beginHttpCheck(CHECK, 5), {
    bad: 0,
    askAt: 35,
    askedAt: -Infinity,
    isAsking: false,
    life: UNKNOWN_LIFE,
    isRequested: false,
  });
  assertEquals(stepHttpCheck({ ...CHECK, maxBad: 0 }, ASKING, answer(false), 105)[1], "restart");
});

Deno.test("stepHttpCheck() remembers a restart request only if it is known when the process started", () => {
  const [known] = stepHttpCheck(CHECK, WAITING, { type: "requested" }, 100);
  const [unknown] = stepHttpCheck(CHECK, { ...WAITING, life: UNKNOWN_LIFE }, { type: "requested" }, 100);
  assertEquals([known.isRequested, unknown.isRequested], [true, false]);
});

Deno.test("stepHttpCheck() keeps its promises in random histories", () => {
  let asked = 0;
  for (let seed = 0; seed < 300; seed++) asked += history(new Random(seed), `seed ${seed}`);
  assertGreater(asked, 5000);
});

/** Simulates a process that comes and goes and answers after a random time. Returns the number of requests. */
function history(random: Random, seed: string): number {
  const check = { ...CHECK, periodMs: 1 + random.below(20), graceMs: random.below(50), maxBad: random.below(4) };
  const isKnown = random.chance(0.7);
  let now = random.below(1000);
  let state = beginHttpCheck(check, now);
  let life: Life = isKnown ? DOWN : UNKNOWN_LIFE;
  let answerAt = Infinity;
  let [askedAt, asked, row] = [-Infinity, 0, 0];
  let restartedIn: Life | null = null;
  for (let turn = 0; turn < 400; turn++) {
    now += random.chance(0.02) ? random.below(500) : random.below(4);
    if (isKnown && random.chance(0.03)) life = life.type === "up" ? DOWN : { type: "up", since: now };
    const isAnswer = now >= answerAt;
    const isGood = random.pick([true, false, false, null]);
    const [before, askedOf] = [state, state.life];
    const [after, effect] = stepHttpCheck(check, freeze(state), isAnswer ? answer(isGood, life) : tick(life), now);
    state = after;
    if (!isSameLife(askedOf, state.life)) row = 0;
    if (effect === "ask") {
      asked++;
      assert(now - askedAt >= check.periodMs, `${seed}: more often than the period`);
      assert(!before.isAsking && life.type !== "down", `${seed}: asked while it cannot answer`);
      assert(life.type !== "up" || now >= life.since + check.graceMs, `${seed}: asked in its grace`);
      assert(
        life.type !== "up" || restartedIn === null || !isSameLife(restartedIn, life),
        `${seed}: asked while it ends`,
      );
      askedAt = now;
      answerAt = now + random.below(3 * check.periodMs);
    } else if (isAnswer) {
      answerAt = Infinity;
      const counts = isGood !== null && isSameLife(askedOf, life);
      if (counts) row = isGood ? 0 : row + 1;
      assertEquals(effect, row > check.maxBad ? "restart" : null, seed);
      if (effect !== "restart") continue;
      row = 0;
      restartedIn = life;
      state = stepHttpCheck(check, freeze(state), { type: "requested" }, now)[0];
    } else assert(effect === null && state.askAt > now || answerAt < Infinity, `${seed}: it must ask`);
  }
  return asked;
}
