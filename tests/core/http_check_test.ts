import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  beginHttpCheck,
  type HttpCheck,
  type HttpEffect,
  type HttpEvent,
  type HttpState,
  isGoodStatus,
  parseHttpCheck,
  SpecError,
  stepHttpCheck,
} from "@ncolony/core";
import { Random } from "./random.ts";
import { freeze } from "./samples.ts";

const URL = "http://user:hunter2@127.0.0.1:8080/?token=hunter2";
const GOOD = { url: URL, period: 10, timeout: 3, grace: 3, maxBad: 2 };

/** A config with this section. */
function config(section: unknown): string {
  return JSON.stringify({ args: ["httpd"], "ncolony.httpcheck": section });
}

/** A config whose section has these keys too, or others for its own. */
function parse(keys: Record<string, unknown>): HttpCheck {
  return parseHttpCheck("web", config({ ...GOOD, ...keys }))!;
}

/** What refuses a value, as JSON, of a key of the section. */
function refusal(key: string, value: string): string {
  const source = config({ ...GOOD, [key]: "?" }).replace('"?"', value);
  const { file, field, message, reason } = assertThrows(() => parseHttpCheck("web", source), SpecError);
  const path = `ncolony.httpcheck.${key}`;
  assertEquals([file, field, message], ["web", path, `Cannot parse config "web": ${reason}`]);
  assert(!message.includes("hunter2") && reason.startsWith(`"${path}" must `), reason);
  return reason.slice(path.length + '"" must '.length);
}

Deno.test("parseHttpCheck() reads what a config says of how to ask, and lets be what it does not know", () => {
  const times = { periodMs: 10_000, timeoutMs: 3000, graceMs: 30_000 };
  assertEquals(parse({ comment: [null] }), { url: URL, ...times, maxBad: 2, expect: null });
  assertEquals(parse({ period: 2, timeout: 30, grace: 0, maxBad: 0 }), {
    url: URL,
    periodMs: 2000,
    timeoutMs: 2000,
    graceMs: 0,
    maxBad: 0,
    expect: null,
  });
});

Deno.test("parseHttpCheck() gives null where a config says nothing of it", () => {
  for (const source of ["{}", config(null), '{"ncolony.beatcheck": {}}']) {
    assertEquals(parseHttpCheck("web", source), null, source);
  }
});

Deno.test("parseHttpCheck() takes http and https URLs alone", () => {
  for (const url of ["http://a", "https://a/", "HTTPS://[::1]:8443/a?b#c"]) assertEquals(parse({ url }).url, url);
  for (
    const url of ["ftp://hunter2", "hunter2", "file:///hunter2", "httpx://hunter2", " http://a", "http:/a", "data:,"]
  ) {
    assertEquals(refusal("url", JSON.stringify(url)), "begin with http:// or https://");
  }
});

Deno.test("parseHttpCheck() takes a status, some, or any as expected ones", () => {
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

Deno.test("parseHttpCheck() refuses wrong and missing values, by their types", () => {
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

Deno.test("isGoodStatus() holds 200 to 399 for good, or what is expected in their place", () => {
  const goodOf = (keys: Record<string, unknown>) =>
    [101, 199, 200, 204, 301, 399, 400, 404, 500, 599].filter((status) => isGoodStatus(parse(keys), status));
  assertEquals(goodOf({}), [200, 204, 301, 399]);
  assertEquals(goodOf({ expect: 404 }), [404]);
  assertEquals(goodOf({ expect: [500, 204] }), [204, 500]);
  assertEquals(goodOf({ expect: "any" }).length, 10);
});

const CHECK: HttpCheck = freeze({ url: URL, periodMs: 10, timeoutMs: 5, graceMs: 30, maxBad: 1, expect: null });
const WAITING: HttpState = { bad: 0, askAt: 100, isAsking: false };
const ASKING: HttpState = { bad: 0, askAt: 110, isAsking: true };
const TICK: HttpEvent = { type: "tick" };
const [WELL, BAD, UNASKED] = [true, false, null].map((isGood): HttpEvent => ({ type: "answer", isGood }));

/** What becomes of which state by which event at which time. */
const CELLS: Record<string, readonly [HttpState, HttpEvent, number, HttpState, HttpEffect]> = {
  "lets a process be until it is to be asked": [WAITING, TICK, 99, WAITING, null],
  "asks at the moment": [WAITING, TICK, 100, { ...WAITING, askAt: 110, isAsking: true }, "ask"],
  "asks late, and next at the moment that was planned": [WAITING, TICK, 109, { ...ASKING }, "ask"],
  "leaves out the moments that passed": [WAITING, TICK, 135, { ...ASKING, askAt: 140 }, "ask"],
  "does not ask at once again when it is late by just a period": [WAITING, TICK, 110, { ...ASKING, askAt: 120 }, "ask"],
  "keeps the count of bad answers when it asks": [{ ...WAITING, bad: 1 }, TICK, 100, { ...ASKING, bad: 1 }, "ask"],
  "asks no second time while it waits for an answer": [ASKING, TICK, 500, ASKING, null],
  "takes a good answer": [ASKING, WELL!, 101, { ...ASKING, isAsking: false }, null],
  "forgets bad answers at a good one": [{ ...ASKING, bad: 1 }, WELL!, 101, { ...ASKING, isAsking: false }, null],
  "counts a bad answer": [ASKING, BAD!, 101, { ...ASKING, bad: 1, isAsking: false }, null],
  "restarts at one bad answer too many": [{ ...ASKING, bad: 1 }, BAD!, 105, beginHttpCheck(CHECK, 105), "restart"],
  "counts nothing where it could not ask": [{ ...ASKING, bad: 1 }, UNASKED!, 101, {
    ...ASKING,
    bad: 1,
    isAsking: false,
  }, null],
};

for (const [what, [state, event, now, after, effect]] of Object.entries(CELLS)) {
  Deno.test(`stepHttpCheck() ${what}`, () => {
    assertEquals(stepHttpCheck(CHECK, freeze({ ...state }), event, now), [after, effect]);
  });
}

Deno.test("stepHttpCheck() begins with the grace, and a maxBad of 0 lets no bad answer pass", () => {
  assertEquals(beginHttpCheck(CHECK, 5), { bad: 0, askAt: 35, isAsking: false });
  assertEquals(stepHttpCheck({ ...CHECK, maxBad: 0 }, ASKING, BAD!, 105)[1], "restart");
});

Deno.test("stepHttpCheck() asks no more often than every period where there is no grace", () => {
  const hasty = { ...CHECK, graceMs: 0, maxBad: 0 };
  assertEquals(stepHttpCheck(hasty, ASKING, BAD!, 105), [{ bad: 0, askAt: 110, isAsking: false }, "restart"]);
});

Deno.test("stepHttpCheck() keeps its promises in random histories", () => {
  for (let seed = 0; seed < 300; seed++) history(new Random(seed), `seed ${seed}`);
});

/** Lets time pass in steps of whole milliseconds, with answers that take what they take. */
function history(random: Random, seed: string): void {
  const check = { ...CHECK, periodMs: 1 + random.below(20), graceMs: random.below(50), maxBad: random.below(4) };
  let now = random.below(1000);
  let begin = now + check.graceMs;
  let state = beginHttpCheck(check, now);
  let answerAt = Infinity;
  let row = 0;
  let asked = 0;
  for (let turn = 0; turn < 400; turn++) {
    now += random.chance(0.02) ? random.below(500) : random.below(4);
    const isAnswer = now >= answerAt;
    const isGood = random.pick([true, false, false, null]);
    const before = state;
    const [after, effect] = stepHttpCheck(check, freeze(state), isAnswer ? { type: "answer", isGood } : TICK, now);
    state = after;
    if (isAnswer) {
      answerAt = Infinity;
      row = isGood === null ? row : isGood ? 0 : row + 1;
      assertEquals(effect, row > check.maxBad ? "restart" : null, seed);
      if (effect !== "restart") continue;
      row = 0;
      begin = Math.max(now + check.graceMs, before.askAt);
      assertEquals(state, { bad: 0, askAt: begin, isAsking: false }, seed);
    } else if (effect === "ask") {
      asked++;
      assert(!before.isAsking && now >= begin, seed);
      // It was planned for a moment of the grid, and is next for the first one that is left.
      assertEquals([(before.askAt - begin) % check.periodMs, (state.askAt - begin) % check.periodMs], [0, 0], seed);
      assert(before.askAt <= now && state.askAt > now && state.askAt <= now + check.periodMs, seed);
      answerAt = now + random.below(3 * check.periodMs);
    } else assert(effect === null && (answerAt < Infinity || now < state.askAt), `${seed}: it must ask`);
  }
  assert(asked > 0, seed);
}
