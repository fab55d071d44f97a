import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { Colony } from "./harness.ts";
import { IS_ROOT, namesIn, place, run } from "./tools.ts";

const CAT = { args: ["cat"] };
const VICTIM = "nobody's business";
const NOBODY = 65_534;

/** Makes a directory outside of a colony, with a file in it; gives its path. */
function makeOutside(colony: Colony): string {
  const outside = colony.dir.dir("outside");
  Deno.writeTextFileSync(join(outside, "victim"), VICTIM);
  return outside;
}

function assertUntouched(outside: string): void {
  assertEquals(namesIn(outside), ["victim"]);
  assertEquals(Deno.readTextFileSync(join(outside, "victim")), VICTIM);
}

/** Sends wrong messages and a good one; each must be said or acted on once, and what is wrong must be put away, or stay. */
async function assertAllDealtWith(colony: Colony, what: "put away" | "stay"): Promise<void> {
  const web = colony.pidsOf("web").length;
  const said = what === "put away"
    ? /is wrong and put away: not JSON/
    : /is wrong and stays \(others may replace .*: not JSON/;
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
  assertEquals(colony.count(new RegExp(`message "${first}" is wrong`)), 1);
  assertEquals(colony.count(said), wrong + 3);
  assertEquals([colony.pidsOf("web").length, colony.count(/ERROR messages/)], [web + 1, 0]);
}

/** What may stand where wrong messages should go. */
const IN_THE_WAY: Readonly<Record<string, (rejected: string, outside: string) => Promise<void> | void>> = {
  "a link to a directory": (rejected, outside) => Deno.symlinkSync(outside, rejected),
  "a link to a file": (rejected, outside) => Deno.symlinkSync(join(outside, "victim"), rejected),
  "a link to nothing": (rejected, outside) => Deno.symlinkSync(join(outside, "nothing"), rejected),
  "a file": (rejected) => Deno.writeTextFileSync(rejected, VICTIM),
  "a named pipe": async (rejected) => assertEquals((await run(["mkfifo", rejected])).code, 0),
};

for (const [what, plant] of Object.entries(IN_THE_WAY)) {
  Deno.test(`wrong messages stay where .rejected is ${what}, and nothing is written outside`, async () => {
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
  name: "wrong messages stay where .rejected is another user's, who gets none of them (skipped unless root)",
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

Deno.test("wrong messages go nowhere else, whoever may write their directory, and while .rejected is exchanged", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.2"], config: { web: CAT } });
  await colony.started("web");
  const outside = makeOutside(colony);
  const rejected = join(colony.messages, ".rejected");
  await assertAllDealtWith(colony, "put away");
  const kept = namesIn(rejected);
  assertEquals(kept.length, 3);
  assertEquals(Deno.statSync(rejected).mode! & 0o777, 0o700);
  // Who may rename .rejected may put a link in its place between our look and our move, so nothing is moved at all.
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

Deno.test("wrong messages stay in a messages directory that is exchanged for another one", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.2"], config: { web: CAT } });
  await colony.started("web");
  await assertAllDealtWith(colony, "put away");
  const other = colony.dir.dir("other");
  const outside = makeOutside(colony);
  Deno.symlinkSync(outside, join(other, ".rejected"));
  place(other, "early", "{");
  Deno.renameSync(colony.messages, colony.dir.file("aside"));
  Deno.renameSync(other, colony.messages);
  await colony.waitFor(/message "early" is wrong and stays/);
  await assertAllDealtWith(colony, "stay");
  assertUntouched(outside);
  assertEquals(namesIn(colony.dir.file("aside", ".rejected")).length, 3);
});

Deno.test("ctl writes through no link that was planted where its files go", async () => {
  await using colony = new Colony({ config: { db: CAT } });
  await colony.started("db");
  const outside = makeOutside(colony);
  const victim = join(outside, "victim");
  Deno.symlinkSync(victim, join(colony.config, "web.new"));
  Deno.symlinkSync(victim, join(colony.config, ".web.new"));
  // Dangling, so that what opens it makes a file.
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

Deno.test("ctl puts its file in the place of a link, and not behind it", async () => {
  await using colony = new Colony();
  const outside = makeOutside(colony);
  const file = join(outside, "victim");
  Deno.symlinkSync(file, join(colony.config, "web"));
  await colony.waitFor(/web: bad config/);
  assertEquals(await colony.ctl("add", "web", "--cmd", "cat"), { code: 0, stdout: "", stderr: "" });
  await colony.started("web");
  assertUntouched(outside);
  assert(Deno.lstatSync(join(colony.config, "web")).isFile);
});

Deno.test("ctl says in one line that a directory stands where its file should", async () => {
  await using colony = new Colony();
  Deno.mkdirSync(join(colony.config, "web"));
  const { code, stdout, stderr } = await colony.ctl("add", "web", "--cmd", "cat");
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr.split("\n").length, 2);
  assertMatch(stderr, /^ncolony-ctl: .*is a directory/i);
  assertStringIncludes(stderr, join(colony.config, "web"));
  assertEquals(namesIn(colony.config), ["web"]);
});
