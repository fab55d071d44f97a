import { assertEquals, assertStrictEquals } from "@std/assert";
import { type Entry, type ProcessEvent, type SpecChange, Specs } from "@ncolony/core";
import { Random } from "./random.ts";
import { sample } from "./samples.ts";

const WEB: Entry = { source: '{"args": ["httpd"]}' };
const EDITED: Entry = { source: '{"args": ["httpd", "-f"]}' };
const BROKEN: Entry = { source: '{"args": ["httpd"' };
const BROKEN_TOO: Entry = { source: '{"args": ["nginx"' };
const TYPELESS: Entry = { source: '{"args": 3}' };
const UNREADABLE: Entry = { fault: "cannot be read" };

/** Applies these entries to one file, and returns for each whether it reports a problem. */
function newsOf(...entries: readonly (Entry | null)[]): boolean[] {
  const specs = new Specs();
  return entries.map((entry) => specs.change("web", entry).problem !== null);
}

Deno.test("Specs puts valid configs in force, and reports the problems of the others", () => {
  const specs = new Specs();
  assertEquals(specs.change("web", WEB).problem, null);
  assertEquals(
    specs.change("db", BROKEN).problem?.reason,
    "invalid JSON at line 1, column 18: a ] is missing at the end",
  );
  const { problem, event } = specs.change("mail", UNREADABLE);
  assertEquals([problem, event], [
    { name: "mail", field: null, reason: "cannot be read", place: null, digest: 0 },
    null,
  ]);
  assertEquals([...specs.inForce.keys()], ["web"]);
});

Deno.test("Specs reports which field of a config is invalid", () => {
  assertEquals(new Specs().change("web", TYPELESS).problem?.field, "args");
});

for (const [what, entry] of [["not JSON", BROKEN], ["of wrong types", TYPELESS], ["unreadable", UNREADABLE]] as const) {
  Deno.test(`Specs keeps the last valid spec in force while its file is ${what}`, () => {
    const specs = new Specs();
    specs.change("web", WEB);
    const good = specs.inForce.get("web");
    for (let looks = 0; looks < 2; looks++) assertEquals(specs.change("web", entry).event, null);
    assertStrictEquals(specs.inForce.get("web"), good);
    assertEquals(specs.change("web", null).event, { type: "unwanted" });
  });

  Deno.test(`Specs reports once that a file that was ${what} is valid again`, () => {
    const specs = new Specs();
    const mended = [entry, entry, WEB, WEB, entry, EDITED].map((each) => specs.change("web", each).isMended);
    assertEquals(mended, [false, false, true, false, false, true]);
    assertEquals(specs.inForce.get("web")?.args, ["httpd", "-f"]);
    assertEquals([entry, null, WEB].map((each) => specs.change("web", each).isMended), [false, false, false]);
  });

  Deno.test(`Specs reports a file that is ${what} once, and again after it was valid or gone`, () => {
    assertEquals(newsOf(entry, entry, WEB, entry, null, entry), [true, false, false, true, false, true]);
  });
}

Deno.test("Specs reports every invalid text, even if the reason is the same", () => {
  assertEquals(newsOf(BROKEN, BROKEN_TOO, UNREADABLE, { fault: "is a FIFO" }, BROKEN), [true, true, true, true, true]);
});

Deno.test("Specs forgets a file that is gone, even if it was invalid", () => {
  const specs = new Specs();
  for (const entry of [WEB, BROKEN, null, BROKEN]) specs.change("web", entry);
  assertEquals(specs.inForce.size, 0);
});

Deno.test("Specs keeps the spec object if the text did not change", () => {
  const specs = new Specs();
  specs.change("web", WEB);
  const good = specs.inForce.get("web");
  specs.change("web", { ...WEB });
  assertStrictEquals(specs.inForce.get("web"), good);
});

const OFF = { "ncolony.monitor": { enabled: false } };
const A = sample("web", { args: ["a"] });
const B = sample("web", { args: ["b"] });
const A_OFF = sample("web", { args: ["a"], ...OFF });
const B_OFF = sample("web", { args: ["b"], ...OFF });

const UNWANTED: ProcessEvent = { type: "unwanted" };
const WANTED_A: ProcessEvent = { type: "wanted", spec: A };
const WANTED_B: ProcessEvent = { type: "wanted", spec: B };

const AFTER = [null, A, B, A_OFF, B_OFF];
const CASES: readonly (readonly [before: string, spec: typeof A | null, ...events: (ProcessEvent | null)[]])[] = [
  ["unknown", null, null, WANTED_A, WANTED_B, null, null],
  ["enabled", A, UNWANTED, null, WANTED_B, UNWANTED, UNWANTED],
  ["enabled with another text", B, UNWANTED, WANTED_A, null, UNWANTED, UNWANTED],
  ["disabled", A_OFF, null, WANTED_A, WANTED_B, null, null],
  ["disabled with another text", B_OFF, null, WANTED_A, WANTED_B, null, null],
];

for (const [before, spec, ...events] of CASES) {
  Deno.test(`Specs returns only events that change a process that was ${before}`, () => {
    const given = AFTER.map((after) => {
      const specs = new Specs();
      specs.change("db", WEB);
      specs.change("web", spec);
      return specs.change("web", after).event;
    });
    assertEquals(given, events);
  });
}

Deno.test("Specs.retry() uses a valid file as soon as nothing is lacking for it", () => {
  let reason: string | null = "no such user";
  const specs = new Specs(() => reason === null ? null : { field: "user", reason });
  const reasons = (changes: Iterable<SpecChange>) =>
    [...changes].map(({ name, event, problem, isMended }) => [name, event?.type, problem?.reason, isMended]);
  assertEquals(reasons([specs.change("web", WEB)]), [["web", undefined, "no such user", false]]);
  assertEquals(reasons(specs.retry()), [["web", undefined, undefined, false]]);
  reason = "no such group";
  assertEquals(reasons(specs.retry()), [["web", undefined, "no such group", false]]);
  reason = null;
  assertEquals(reasons(specs.retry()), [["web", "wanted", undefined, true]]);
  assertEquals(reasons(specs.retry()), []);
});

Deno.test("Specs.retry() forgets a file that became invalid, or is gone", () => {
  for (const entry of [{ source: "{" }, { fault: "no permission" }, null]) {
    let isLacking = true;
    const specs = new Specs(() => isLacking ? { field: "user", reason: "no such user" } : null);
    specs.change("web", WEB);
    specs.change("web", entry);
    isLacking = false;
    assertEquals([...specs.retry()], []);
  }
});

Deno.test("Specs never throws, whatever the names and texts", () => {
  const random = new Random(17);
  const good = JSON.stringify({
    ...JSON.parse(sample("web").source),
    env: { A: "é😀" },
    "ncolony.monitor": { cwd: "/", kill_time: 1 },
  });
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "\0",
    "\ud800",
    "\ufeff",
    "null",
    "1e400",
    "-",
    "\n",
  ] as const;
  for (let texts = 0; texts < 5000; texts++) {
    let source = good;
    for (let edits = random.below(4); edits >= 0; edits--) {
      const at = random.below(source.length);
      source = source.slice(0, at) + random.pick(pieces) + source.slice(at + random.below(4));
    }
    const name = random.pick(["web", "", ".web", "a/b", "\ud800", "__proto__", source]);
    const specs = new Specs();
    const { problem } = specs.change(name, { source });
    assertEquals(specs.inForce.has(name), problem === null, source);
  }
});
