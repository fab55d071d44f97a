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
import { BEAT_SECTION, HTTP_SECTION, mostly, NUMBER } from "./check_documents.ts";
import { SECRET, TEXT } from "./documents.ts";

/** Shrinking may take long; the first counterexample is good enough. */
const RUNS = { numRuns: 1000, interruptAfterTimeLimit: 20_000 };

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
