import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type Entry, newProblems, type Problem, readSnapshot, type Snapshot } from "@ncolony/core";
import { Random } from "./random.ts";
import { sample } from "./samples.ts";

const WEB: Entry = { source: '{"args": ["httpd"]}' };
const EDITED: Entry = { source: '{"args": ["httpd", "-f"]}' };
const BROKEN: Entry = { source: '{"args": ["httpd"' };
const BROKEN_TOO: Entry = { source: '{"args": ["nginx"' };
const TYPELESS: Entry = { source: '{"args": 3}' };
const UNREADABLE: Entry = { fault: "cannot be read" };

/** Looks at a directory with one file, or none, again and again. */
class Looks {
  snapshot: Snapshot = readSnapshot(new Map());

  /** Looks once; returns the problems that are to be said now. */
  look(entry: Entry | null): Problem[] {
    const before = this.snapshot;
    this.snapshot = readSnapshot(new Map(entry === null ? [] : [["web", entry]]), before);
    return newProblems(before, this.snapshot);
  }

  /** The arguments of what is in force. */
  get args(): readonly string[] | undefined {
    return this.snapshot.specs.get("web")?.args;
  }
}

Deno.test("readSnapshot() reads every name of a listing", () => {
  const { specs, problems } = readSnapshot(
    new Map<string, Entry>([["web", WEB], ["db", BROKEN], ["mail", UNREADABLE]]),
  );
  assertEquals([...specs.keys()], ["web"]);
  assertEquals(problems.get("db")?.reason, "not JSON at line 1, column 18");
  assertEquals(problems.get("mail"), { name: "mail", field: null, reason: "cannot be read", digest: 0 });
});

Deno.test("readSnapshot() says which field of a config is wrong", () => {
  const problem = readSnapshot(new Map([["web", TYPELESS]])).problems.get("web");
  assertEquals([problem?.name, problem?.field], ["web", "args"]);
});

for (const [what, entry] of [["bad", BROKEN], ["of wrong types", TYPELESS], ["unreadable", UNREADABLE]] as const) {
  Deno.test(`readSnapshot() keeps the last good spec while its file is ${what}`, () => {
    const looks = new Looks();
    looks.look(WEB);
    const good = looks.snapshot.specs.get("web");
    looks.look(entry);
    looks.look(entry);
    assertStrictEquals(looks.snapshot.specs.get("web"), good);
    assert(looks.snapshot.problems.has("web"));
  });

  Deno.test(`readSnapshot() forgets the problem of a file that was ${what} and is mended`, () => {
    const looks = new Looks();
    looks.look(WEB);
    looks.look(entry);
    looks.look(EDITED);
    assertEquals(looks.args, ["httpd", "-f"]);
    assertEquals(looks.snapshot.problems.size, 0);
  });

  Deno.test(`newProblems() tells of a file that is ${what} once`, () => {
    const looks = new Looks();
    assertEquals([looks.look(entry).length, looks.look(entry).length], [1, 0]);
  });

  Deno.test(`newProblems() tells again of a file that was ${what}, was good or gone, and is as it was`, () => {
    const looks = new Looks();
    const told = [entry, WEB, entry, null, entry].map((each) => looks.look(each).length);
    assertEquals(told, [1, 0, 1, 0, 1]);
  });
}

Deno.test("readSnapshot() has no spec for a file that never was good", () => {
  const looks = new Looks();
  looks.look(BROKEN);
  assertEquals(looks.args, undefined);
});

Deno.test("readSnapshot() forgets a name that is gone, also while it was bad", () => {
  const looks = new Looks();
  looks.look(WEB);
  looks.look(BROKEN);
  looks.look(null);
  assertEquals([looks.snapshot.specs.size, looks.snapshot.problems.size], [0, 0]);
  looks.look(BROKEN);
  assertEquals(looks.args, undefined);
});

Deno.test("readSnapshot() keeps the spec object of a text that did not change", () => {
  const looks = new Looks();
  looks.look(WEB);
  const good = looks.snapshot.specs.get("web");
  looks.look({ ...WEB });
  assertStrictEquals(looks.snapshot.specs.get("web"), good);
});

Deno.test("newProblems() tells of every text that is wrong, though it is wrong in the same way", () => {
  const looks = new Looks();
  const told = [BROKEN, BROKEN_TOO, UNREADABLE, { fault: "is a FIFO" }, BROKEN].map((entry) => looks.look(entry));
  assertEquals(told.map((problems) => problems.length), [1, 1, 1, 1, 1]);
  assertEquals(told[0]![0]!.reason, told[1]![0]!.reason);
});

Deno.test("newProblems() tells of a file that goes wrong beside one that was wrong before", () => {
  const before = readSnapshot(new Map([["web", BROKEN], ["db", WEB]]));
  const after = readSnapshot(new Map([["web", BROKEN], ["db", BROKEN]]), before);
  assertEquals(newProblems(before, after).map(({ name }) => name), ["db"]);
});

Deno.test("readSnapshot() never throws, whatever names and texts there are", () => {
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
    const { specs, problems } = readSnapshot(new Map([[name, { source }]]));
    assertEquals(specs.size + problems.size, 1, source);
  }
});
