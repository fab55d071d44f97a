import { assert, assertEquals } from "@std/assert";
import {
  beginHttpCheck,
  type HttpCheck,
  isGoodStatus,
  MAX_SECONDS,
  parseBeat,
  parseHttpCheck,
  SpecError,
  stepHttpCheck,
  UNKNOWN_LIFE,
} from "@ncolony/core";
import fc from "fast-check";

/** Shrinking may take long; the first counterexample is good enough. */
const RUNS = { numRuns: 1000, interruptAfterTimeLimit: 20_000 };

/** A value that no error may show. */
const SECRET = "hunter2";

const TEXT = fc.string({ unit: "binary" });
const ANY = fc.oneof(fc.jsonValue(), fc.constant(SECRET), fc.array(fc.constant(SECRET)), TEXT);
const NUMBER = fc.oneof(
  fc.nat(100),
  fc.double({ min: 0, max: MAX_SECONDS, noNaN: true }),
  fc.double(),
  fc.constantFrom(0, -0, -1, 1.5, Number.MIN_VALUE, 1e-9, 1e-3, MAX_SECONDS, MAX_SECONDS + 1, Number.MAX_VALUE),
);
const STATUS = fc.oneof(fc.integer({ min: 100, max: 599 }), fc.constantFrom(99, 600, 200.5, "any", SECRET));

/** Mostly valid, sometimes doubtful, rarely arbitrary values: a section is only accepted with many valid values. */
function mostly(right: fc.Arbitrary<unknown>, doubtful: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 8, arbitrary: right },
    { weight: 4, arbitrary: doubtful },
    { weight: 1, arbitrary: ANY },
  );
}

const TIMES = { period: mostly(fc.integer({ min: 10, max: 100 }), NUMBER), grace: mostly(fc.nat(100), NUMBER) };

/** The value of a key that most sections do not have. */
function rarely(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
}

/** The value of an unknown key that some sections have. */
const EXTRA = rarely(ANY);

const BEAT_SECTION = fc.record({ ...TIMES, status: mostly(fc.constant(`/${SECRET}`), TEXT), extra: EXTRA });

const HTTP_SECTION = fc.record({
  ...TIMES,
  timeout: mostly(fc.integer({ min: 1, max: 10 }), NUMBER),
  maxBad: mostly(fc.nat(), NUMBER),
  url: mostly(
    fc.webUrl(),
    fc.oneof(TEXT.map((text) => `http://${SECRET}${text}`), fc.constant(`ftp://${SECRET}`)),
  ),
  expect: mostly(fc.integer({ min: 100, max: 599 }), fc.oneof(STATUS, fc.array(STATUS))),
  headers: rarely(mostly(fc.constant({ host: SECRET }), fc.dictionary(fc.oneof(fc.constant("X-A"), TEXT), TEXT))),
  unix: rarely(mostly(fc.constant(`/${SECRET}`), TEXT)),
  ca: rarely(mostly(fc.constant(`/${SECRET}`), TEXT)),
  insecure: rarely(mostly(fc.constant(false), fc.boolean())),
  extra: EXTRA,
}, { requiredKeys: ["period", "grace", "url", "timeout", "maxBad"] });

/** Configs with sections of both kinds, some with a piece replaced. */
const SOURCE = fc.tuple(
  mostly(BEAT_SECTION, fc.constant(null)),
  mostly(HTTP_SECTION, fc.constant(null)),
  fc.option(
    fc.record({ where: fc.nat(), length: fc.nat(5), fresh: fc.oneof(TEXT, fc.constantFrom("}", '"', ",", "]")) }),
  ),
).map(([beat, http, edit]) => {
  const text = JSON.stringify({ args: [SECRET], "ncolony.beatcheck": beat, "ncolony.httpcheck": http });
  if (edit === null || edit.where % 3 > 0) return text;
  const at = edit.where % text.length;
  return text.slice(0, at) + edit.fresh + text.slice(at + edit.length);
});

/**
 * Returns the result of parsing. Returns undefined if it throws a SpecError, and checks that this names the file in one
 * line and shows no value.
 */
function parsed<T>(parse: (name: string, source: string) => T, name: string, source: string): T | undefined {
  try {
    return parse(name, source);
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    assertEquals([error.file, error.message], [name, `Cannot parse config ${JSON.stringify(name)}: ${error.reason}`]);
    // deno-lint-ignore no-control-regex -- searches for control characters
    assert(!/[\u0000-\u001f]/.test(error.message) && !error.reason.includes(SECRET), error.message);
    return undefined;
  }
}

/** Asserts that a duration is valid, and at most `maxSeconds`. */
function assertDuration(ms: number, maxSeconds: number): void {
  assert(Number.isFinite(ms) && ms >= 0 && ms <= maxSeconds * 1000, `${ms}`);
}

const NAME = fc.oneof(fc.constant("web"), TEXT);

Deno.test("fuzz: parseBeat() returns values in range, returns null, or throws a SpecError that shows no value", () => {
  const seen = { beat: 0, none: 0, refused: 0 };
  fc.assert(
    fc.property(NAME, SOURCE, (name, source) => {
      const beat = parsed(parseBeat, name, source);
      seen[beat ? "beat" : beat === null ? "none" : "refused"]++;
      if (!beat) return;
      assertDuration(beat.periodMs, MAX_SECONDS);
      assertDuration(beat.graceMs, MAX_SECONDS ** 2);
      assert(beat.periodMs > 0 && beat.status !== "" && !beat.status.includes("\0") && beat.status.isWellFormed());
    }),
    RUNS,
  );
  assert(Math.min(...Object.values(seen)) > 0, JSON.stringify(seen));
});

Deno.test("fuzz: parseHttpCheck() returns values in range, returns null, or throws a SpecError that shows no value", () => {
  const seen = { check: 0, none: 0, refused: 0 };
  fc.assert(
    fc.property(NAME, SOURCE, fc.integer({ min: 100, max: 599 }), (name, source, status) => {
      const check = parsed(parseHttpCheck, name, source);
      seen[check ? "check" : check === null ? "none" : "refused"]++;
      if (!check) return;
      assertDuration(check.periodMs, MAX_SECONDS);
      assertDuration(check.graceMs, MAX_SECONDS ** 2);
      assertDuration(check.timeoutMs, check.periodMs / 1000);
      assert(check.periodMs > 0 && check.timeoutMs > 0 && Number.isInteger(check.maxBad) && check.maxBad >= 0);
      assert(/^https?:/i.test(check.url) && check.url.isWellFormed());
      assertEquals(typeof isGoodStatus(check, status), "boolean");
    }),
    RUNS,
  );
  assert(Math.min(...Object.values(seen)) > 0, JSON.stringify(seen));
});

Deno.test("fuzz: stepHttpCheck() always sends another request, however short or long the times of the check are", () => {
  const period = fc.oneof(NUMBER, fc.double({ min: 0, max: 1e-300, noNaN: true }));
  fc.assert(
    fc.property(period, fc.nat(10), fc.nat(1e9), fc.nat(1e9), (period, grace, begin, late) => {
      const section = { url: "http://a", period, timeout: 1, grace, maxBad: 0 };
      const source = JSON.stringify({ "ncolony.httpcheck": section });
      const check: HttpCheck | null | undefined = parsed(parseHttpCheck, "web", source);
      if (!check) return;
      const state = beginHttpCheck(check, begin);
      const [{ askAt }, effect] = stepHttpCheck(check, state, { type: "tick", life: UNKNOWN_LIFE }, state.askAt + late);
      assertEquals(effect, "ask");
      assert(Number.isFinite(askAt), `a period of ${period} s, ${late} ms late: asked again at ${askAt}`);
    }),
    RUNS,
  );
});
