import { assert, assertEquals } from "@std/assert";
import {
  formatMessage,
  MAX_ID,
  MAX_NOFILE,
  MAX_SECONDS,
  type Message,
  MessageError,
  parseMessage,
  parseSpec,
  type Spec,
  SpecError,
  Specs,
  STOP_SIGNALS,
  whereNotJson,
} from "@ncolony/core";
import fc from "fast-check";
import { ID, OBJECT, SECRET, SURROUNDINGS, TEXT } from "./documents.ts";

/** Shrinking may take long; the first counterexample is good enough. */
const RUNS = { numRuns: 1000, interruptAfterTimeLimit: 20_000 };

const SOUP = fc.array(
  fc.constantFrom(
    ...'{}[]:,"\\ \n-01.eEu+xtfn',
    "true",
    "false",
    "null",
    '"a"',
    "1",
    "\\u00e9",
    "\ufeff",
    "\0",
    "\ud800",
  ),
  { maxLength: 20 },
).map((tokens) => tokens.join(""));

const EDIT = fc.record({
  where: fc.nat(),
  isMark: fc.boolean(),
  length: fc.nat(2),
  fresh: fc.oneof(fc.constantFrom(",", "}", "]", ":", '"', "0", "\\u0000", "\\ud800"), SOUP),
});

/** Texts of such objects, some with a few characters removed, added or replaced, often at JSON punctuation. */
const MUTATED = fc.tuple(
  fc.oneof(OBJECT.map((object) => JSON.stringify(object)), fc.json()),
  fc.array(EDIT, { maxLength: 2 }),
).map((
  [text, edits],
) =>
  edits.reduce((text, { where, isMark, length, fresh }) => {
    const places = isMark ? [...text.matchAll(/[{}[\],:"]/g)].map(({ index }) => index) : [];
    const at = places.length > 0 ? places[where % places.length]! : where % (text.length + 1);
    return text.slice(0, at) + fresh + text.slice(at + length);
  }, text)
);

const SOURCE = fc.oneof({ weight: 4, arbitrary: MUTATED }, SOUP, TEXT);

/** Returns the error of this class that parsing throws, or null. Rethrows any other error. */
function refusal<T extends Error>(kind: new (...args: never[]) => T, parse: () => unknown): T | null {
  try {
    parse();
    return null;
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
}

/** Checks that wrappers can have a spec's surroundings as arguments. */
function checkSurroundings(spec: Spec): void {
  const { user, supplementaryGroups = [], umask = 0, nice = 0, oomScoreAdj = 0, nofile = 1 } = spec.surroundings;
  assert(user === undefined || spec.uid === undefined && spec.gid === undefined);
  for (const name of [user ?? "root", ...supplementaryGroups]) {
    if (typeof name === "string") assert(/^[^\0,:]+$/.test(name) && name.isWellFormed(), name);
    else assert(Number.isInteger(name) && name >= 0 && name <= MAX_ID, `${name}`);
  }
  const isWithin = (number: number, min: number, max: number) => {
    return Number.isInteger(number) && number >= min && number <= max;
  };
  assert(isWithin(umask, 0, 0o777) && isWithin(nofile, 1, MAX_NOFILE));
  assert(isWithin(nice, -20, 19) && isWithin(oomScoreAdj, -1000, 1000));
}

Deno.test("fuzz: whereNotJson() finds a fault if and only if JSON.parse() throws", () => {
  fc.assert(
    fc.property(SOURCE, (source) => {
      assertEquals(whereNotJson(source) !== null, refusal(SyntaxError, () => JSON.parse(source)) !== null);
    }),
    RUNS,
  );
});

Deno.test("fuzz: parseSpec() returns a spec that can be run, or throws a SpecError that names the file in one line", () => {
  fc.assert(
    fc.property(fc.oneof(fc.constant("web"), TEXT), SOURCE, (name, source) => {
      const error = refusal(SpecError, () => {
        const spec = parseSpec(name, source);
        assertEquals([spec.name, spec.source], [name, source]);
        const texts = [...spec.args, ...Object.entries(spec.env).flat(), ...spec.envInherit, ...spec.groups];
        assert(spec.args[0] !== "" && texts.every((text) => !text.includes("\0") && text.isWellFormed()));
        assert(Object.keys(spec.env).every((key) => key !== "" && !key.includes("=")));
        for (const id of [spec.uid ?? 0, spec.gid ?? 0]) assert(Number.isInteger(id) && id >= 0 && id <= MAX_ID);
        assert((spec.killTimeMs ?? 0) >= 0 && (spec.killTimeMs ?? 0) <= MAX_SECONDS * 1000);
        checkSurroundings(spec);
        assert(STOP_SIGNALS.includes(spec.stopSignal) && (spec.cwd ?? "/").startsWith("/"));
      });
      if (error === null) return;
      assertEquals(error.file, name);
      // deno-lint-ignore no-control-regex -- searches for control characters
      assert(!/[\u0000-\u001f]/.test(error.message), error.message);
    }),
    RUNS,
  );
});

Deno.test("fuzz: parseSpec() returns surroundings that programs can have as arguments, or throws a SpecError", () => {
  const group = fc.oneof(ID, TEXT, fc.constantFrom("docker", "a,b"));
  const groups = fc.array(group, { maxLength: 2 });
  const key = Object.entries({ ...SURROUNDINGS, groups }).map(([key, value]) =>
    value.map((value) => ({ [key]: value }))
  );
  const config = fc.tuple(fc.oneof(...key), fc.oneof(...key), fc.constantFrom({}, { uid: 1 }, { gid: 1 }));
  fc.assert(
    fc.property(config, ([one, other, ids]) => {
      const source = JSON.stringify({ args: ["a"], ...ids, "ncolony.monitor": { ...one, ...other } });
      refusal(SpecError, () => checkSurroundings(parseSpec("web", source)));
    }),
    RUNS,
  );
});

Deno.test("fuzz: parseSpec() shows no value in the error for a config that is invalid in one place", () => {
  const config = JSON.stringify({
    args: [SECRET, SECRET],
    env: { A: SECRET, B: SECRET },
    extra: { a: [SECRET], b: SECRET },
    "ncolony.monitor": { cwd: `/${SECRET}`, kill_time: 5 },
  });
  const anywhere = fc.nat(config.length);
  fc.assert(
    fc.property(anywhere, fc.nat(9), fc.oneof(SOUP, TEXT), (at, length, fresh) => {
      const source = config.slice(0, at) + fresh + config.slice(at + length);
      const error = refusal(SpecError, () => parseSpec("web", source));
      assert(error === null || !error.message.includes(SECRET), error?.message);
    }),
    RUNS,
  );
});

Deno.test("fuzz: parseMessage() returns a message that can be formatted and parsed again, or throws a MessageError", () => {
  fc.assert(
    fc.property(TEXT, SOURCE, (file, source) => {
      let message: Message | undefined;
      const error = refusal(MessageError, () => message = parseMessage(file, source));
      if (message === undefined) assertEquals(error?.file, file);
      else {
        assert(Object.values(message).every((value) => typeof value === "string"));
        assertEquals(parseMessage(file, formatMessage(message)), message);
      }
    }),
    RUNS,
  );
});

Deno.test("fuzz: Specs keeps the last valid spec in force, and never throws", () => {
  const entry = fc.oneof(fc.record({ source: SOURCE }), fc.record({ fault: TEXT }));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("web", "db"), entry)), (changes) => {
      const specs = new Specs();
      for (const [name, entry] of changes) {
        const had = specs.inForce.has(name);
        const { event, isMended } = specs.change(name, entry);
        assert(!had || specs.inForce.has(name), "the last good one stays in force");
        assert(event?.type !== "unwanted" || specs.inForce.get(name)?.enabled === false);
        assert(!isMended || specs.inForce.has(name));
      }
    }),
    RUNS,
  );
});
