/** Random sections of configs for beatcheck and httpcheck. */

import { MAX_SECONDS } from "@ncolony/core";
import fc from "fast-check";
import { SECRET, TEXT } from "./documents.ts";

const ANY = fc.oneof(fc.jsonValue(), fc.constant(SECRET), fc.array(fc.constant(SECRET)), TEXT);
/** Numbers, many of them at a limit. */
export const NUMBER: fc.Arbitrary<number> = fc.oneof(
  fc.nat(100),
  fc.double({ min: 0, max: MAX_SECONDS, noNaN: true }),
  fc.double(),
  fc.constantFrom(0, -0, -1, 1.5, Number.MIN_VALUE, 1e-9, 1e-3, MAX_SECONDS, MAX_SECONDS + 1, Number.MAX_VALUE),
);
const STATUS = fc.oneof(fc.integer({ min: 100, max: 599 }), fc.constantFrom(99, 600, 200.5, "any", SECRET));

/** Mostly valid, sometimes doubtful, rarely arbitrary values: a section is only accepted with many valid values. */
export function mostly(right: fc.Arbitrary<unknown>, doubtful: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
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

/** Sections of beatcheck. */
export const BEAT_SECTION: fc.Arbitrary<object> = fc.record({
  ...TIMES,
  status: mostly(fc.constant(`/${SECRET}`), TEXT),
  extra: EXTRA,
});

/** Sections of httpcheck. */
export const HTTP_SECTION: fc.Arbitrary<object> = fc.record({
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

/** Valid configs, but for these sections. */
export const CHECK_OBJECT: fc.Arbitrary<object> = fc.record({
  args: fc.constant(["cat"]),
  "ncolony.beatcheck": mostly(BEAT_SECTION, fc.constant(null)),
  "ncolony.httpcheck": mostly(HTTP_SECTION, fc.constant(null)),
}, { requiredKeys: ["args"] });
