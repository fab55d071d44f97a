import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { Colony } from "./harness.ts";
import { IS_ROOT, namesIn, place, run } from "./tools.ts";

const CAT = { args: ["cat"] };
const VICTIM = "nobody's business";
const NOBODY = 65_534;

/** Makes a directory outside a colony, with a file in it. Returns its path. */
function makeOutside(colony: Colony): string {
  const outside = colony.dir.dir("outside");
  Deno.writeTextFileSync(join(outside, "victim"), VICTIM);
  return outside;
}

function assertUntouched(outside: string): void {
  assertEquals(namesIn(outside), ["victim"]);
  assertEquals(Deno.readTextFileSync(join(outside, "victim")), VICTIM);
}

/** Sends invalid messages and a valid one. Checks that each is handled once, and that the invalid ones went or stay. */
async function assertAllDealtWith(colony: Colony, what: "put away" | "stay"): Promise<void> {
  const web = colony.pidsOf("web").length;
  const said = what === "put away"
    ? /is invalid and was moved to .rejected: invalid JSON/
    : /is invalid and stays in place \(other users can replace .*: invalid JSON/;
  const wrong = colony.count(said);
  const victim = `victim-${web}`;
  place(colony.messages, victim, "{");
  const [first, good, last] = [colony.send("{"), colony.send({ type: "RESTART", name: "web" }), colony.send("[")];
  await colony.started("web", web + 1);
  await colony.waitFor(said, wrong + 3);
  await colony.until("the good one is gone", () => !namesIn(colony.messages).includes(good));
  const left = namesIn(colony.messages).filter((name) => [first, last, victim].includes(name));
  assertEquals(left.length, what === "put away" ? 0 : 3);
  await colony.fence();
  assertEquals(colony.count(new RegExp(`message "${first}" is invalid`)), 1);
  assertEquals(colony.count(said), wrong + 3);
  assertEquals([colony.pidsOf("web").length, colony.count(/ERROR cannot remove messages/)], [web + 1, 0]);
}

/** Things that may be in the way of the directory for invalid messages. */
const IN_THE_WAY: Readonly<Record<string, (rejected: string, outside: string) => Promise<void> | void>> = {
  "a symlink to a directory": (rejected, outside) => Deno.symlinkSync(outside, rejected),
  "a symlink to a file": (rejected, outside) => Deno.symlinkSync(join(outside, "victim"), rejected),
  "a dangling symlink": (rejected, outside) => Deno.symlinkSync(join(outside, "nothing"), rejected),
  "a file": (rejected) => Deno.writeTextFileSync(rejected, VICTIM),
  "a named pipe": async (rejected) => assertEquals((await run(["mkfifo", rejected])).code, 0),
};

for (const [what, plant] of Object.entries(IN_THE_WAY)) {
  Deno.test(`the monitor leaves invalid messages in place if .rejected is ${what}, and writes nothing outside`, async () => {
    await using colony = new Colony({ args: ["--frequency", "0.2"], config: { web: CAT } });
    await colony.started("web");
    const outside = makeOutside(colony);
    const rejected = join(colony.messages, ".rejected");
    await plant(rejected, outside);
    const { ino } = Deno.lstatSync(rejected);
    await assertAllDealtWith(colony, "stay");
    assertUntouched(outside);
    assertEquals(Deno.lstatSync(rejected).ino, ino);
    if (what === "a file") assertEquals(Deno.readTextFileSync(rejected), VICTIM);
  });
}

Deno.test({
  name: "the monitor leaves invalid messages in place if .rejected belongs to another user (skipped unless root)",
  ignore: !IS_ROOT,
  fn: async () => {
    await using colony = new Colony({ config: { web: CAT } });
    await colony.started("web");
    const rejected = join(colony.messages, ".rejected");
    Deno.mkdirSync(rejected);
    Deno.chownSync(rejected, NOBODY, NOBODY);
    await assertAllDealtWith(colony, "stay");
    assertEquals(namesIn(rejected), []);
  },
});

Deno.test("the monitor moves invalid messages nowhere else, whatever the mode, even if .rejected is replaced", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.2"], config: { web: CAT } });
  await colony.started("web");
  const outside = makeOutside(colony);
  const rejected = join(colony.messages, ".rejected");
  await assertAllDealtWith(colony, "put away");
  const kept = namesIn(rejected);
  assertEquals(kept.length, 3);
  assertEquals(Deno.statSync(rejected).mode! & 0o777, 0o700);
  // Another user could replace .rejected by a symlink between the check and the move, so nothing is moved.
  Deno.chmodSync(colony.messages, 0o777);
  await assertAllDealtWith(colony, "stay");
  assertEquals(namesIn(rejected), kept);
  Deno.chmodSync(colony.messages, 0o1777);
  await colony.until("those that stayed are put away", () => namesIn(rejected).length === 6);
  await assertAllDealtWith(colony, "put away");
  assertEquals(namesIn(rejected).length, 9);
  Deno.renameSync(rejected, colony.dir.file("aside"));
  Deno.symlinkSync(outside, rejected);
  await assertAllDealtWith(colony, "stay");
  assertUntouched(outside);
  assertEquals(namesIn(colony.dir.file("aside")).length, 9);
});

Deno.test("the monitor leaves invalid messages in place if another directory replaces the messages directory", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.2"], config: { web: CAT } });
  await colony.started("web");
  await assertAllDealtWith(colony, "put away");
  const other = colony.dir.dir("other");
  const outside = makeOutside(colony);
  Deno.symlinkSync(outside, join(other, ".rejected"));
  place(other, "early", "{");
  Deno.renameSync(colony.messages, colony.dir.file("aside"));
  Deno.renameSync(other, colony.messages);
  await colony.waitFor(/message "early" is invalid and stays in place/);
  await assertAllDealtWith(colony, "stay");
  assertUntouched(outside);
  assertEquals(namesIn(colony.dir.file("aside", ".rejected")).length, 3);
});

Deno.test("ctl writes through no symlink that was planted at the names of its files", async () => {
  await using colony = new Colony({ config: { db: CAT } });
  await colony.started("db");
  const outside = makeOutside(colony);
  const victim = join(outside, "victim");
  Deno.symlinkSync(victim, join(colony.config, "web.new"));
  Deno.symlinkSync(victim, join(colony.config, ".web.new"));
  // Dangling, so that opening it would create a file.
  Deno.symlinkSync(join(outside, "nothing"), join(colony.config, "api.new"));
  for (const name of ["web", "api", "db"]) {
    assertEquals(await colony.ctl("add", name, "--cmd", "cat", "--arg=-u"), { code: 0, stdout: "", stderr: "" });
    await colony.started(name, name === "db" ? 2 : 1);
  }
  Deno.symlinkSync(victim, join(colony.messages, "web.new"));
  assertEquals((await colony.ctl("restart", "web")).code, 0);
  await colony.started("web", 2);
  assertUntouched(outside);
  assertEquals(namesIn(colony.config), [".web.new", "api", "api.new", "db", "web", "web.new"]);
});

Deno.test("ctl replaces a symlink by its file, and does not write through it", async () => {
  await using colony = new Colony();
  const outside = makeOutside(colony);
  const file = join(outside, "victim");
  Deno.symlinkSync(file, join(colony.config, "web"));
  await colony.waitFor(/web: invalid config/);
  assertEquals(await colony.ctl("add", "web", "--cmd", "cat"), { code: 0, stdout: "", stderr: "" });
  await colony.started("web");
  assertUntouched(outside);
  assert(Deno.lstatSync(join(colony.config, "web")).isFile);
});

Deno.test("ctl reports in one line that a directory is in the way of its file", async () => {
  await using colony = new Colony();
  Deno.mkdirSync(join(colony.config, "web"));
  const { code, stdout, stderr } = await colony.ctl("add", "web", "--cmd", "cat");
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr.split("\n").length, 2);
  assertMatch(stderr, /^ncolony-ctl: .*is a directory/i);
  assertStringIncludes(stderr, join(colony.config, "web"));
  assertEquals(namesIn(colony.config), ["web"]);
});
