import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { namesIn, sh } from "./tools.ts";

const CAT = { args: ["cat"] };
const MEMBER = { args: ["cat"], group: ["front", "eu"] };

/** How often each process was started. */
function starts(colony: Colony, ...names: string[]): number[] {
  return names.map((name) => colony.pidsOf(name).length);
}

Deno.test("ctl's restart, restart-all and restart-group restart just whom they name", async () => {
  await using colony = new Colony({ config: { web: MEMBER, api: MEMBER, db: CAT } });
  const first = await colony.started("web");
  await colony.started("db");
  assertEquals((await colony.ctl("restart", "web")).code, 0);
  assertNotEquals(await colony.started("web", 2), first);
  assertEquals(isAlive(first), false);
  await colony.fence();
  assertEquals(starts(colony, "web", "api", "db"), [2, 1, 1]);

  assertEquals((await colony.ctl("restart-group", "front")).code, 0);
  await colony.started("web", 3);
  await colony.started("api", 2);
  await colony.fence();
  assertEquals(starts(colony, "web", "api", "db"), [3, 2, 1]);

  colony.put("off", { args: ["cat"], "ncolony.monitor": { enabled: false } });
  assertEquals((await colony.ctl("restart-all")).code, 0);
  for (const [name, nth] of [["web", 4], ["api", 3], ["db", 2]] as const) await colony.started(name, nth);
  await colony.fence();
  assertEquals(starts(colony, "web", "api", "db", "off"), [4, 3, 2, 0]);
  assertEquals(namesIn(colony.messages), []);
});

const SPELLINGS: readonly (readonly [message: Record<string, string>, restarts: readonly string[]])[] = [
  [{ type: "RESTART", name: "web" }, ["web"]],
  [{ type: "restart", name: "web" }, ["web"]],
  [{ type: "RESTART", value: "web" }, ["web"]],
  [{ type: "restart", value: "web" }, ["web"]],
  [{ type: "RESTART-ALL" }, ["web", "api", "db"]],
  [{ type: "restart-all" }, ["web", "api", "db"]],
  [{ type: "RESTART-GROUP", group: "eu" }, ["web", "api"]],
  [{ type: "restart-group", group: "eu" }, ["web", "api"]],
];

Deno.test("every spelling of a message is understood, renamed into place or written there", async () => {
  await using colony = new Colony({ config: { web: MEMBER, api: MEMBER, db: CAT } });
  await colony.started("db");
  const expected = { web: 1, api: 1, db: 1 };
  for (const [index, [message, restarts]] of SPELLINGS.entries()) {
    for (const inPlace of [false, true]) {
      for (const name of restarts) expected[name as keyof typeof expected]++;
      if (inPlace) Deno.writeTextFileSync(join(colony.messages, `by hand ${index}`), JSON.stringify(message));
      else colony.send(message);
      for (const [name, nth] of Object.entries(expected)) await colony.started(name, nth);
      await colony.waitFor(new RegExp(`message "[^"]+": ${message.type.toUpperCase()}`));
    }
  }
  await colony.fence();
  assertEquals(starts(colony, "web", "api", "db"), Object.values(expected));
  assertEquals(namesIn(colony.messages), []);
});

const WRONG: readonly (readonly [text: string, reason: string])[] = [
  ["{", "not JSON at line 1, column 2"],
  ['["RESTART"]', "must be a JSON object: got an array"],
  ['{"name": "web"}', '"type" must be RESTART, RESTART-ALL or RESTART-GROUP: got nothing'],
  ['{"type": "STOP", "name": "web"}', '"type" must be RESTART, RESTART-ALL or RESTART-GROUP: got another string'],
  ['{"type": "RESTART"}', '"name" must be a string: got nothing'],
  ['{"type": "RESTART", "name": 5}', '"name" must be a string: got a number'],
  ['{"type": "RESTART-GROUP"}', '"group" must be a string: got nothing'],
  [" ".repeat(70_000), "must be at most 65536 bytes"],
];

Deno.test("a message that is wrong is said once and put away, and the next one is taken", async () => {
  await using colony = new Colony({ config: { web: CAT } });
  await colony.started("web");
  const names = WRONG.map(([text]) => colony.send(text));
  colony.send({ type: "RESTART", name: "web" });
  await colony.started("web", 2);
  for (const [index, [, reason]] of WRONG.entries()) {
    const said = `message ${JSON.stringify(names[index])} is wrong and put away: ${reason}`;
    await colony.until(said, () => colony.lines.some((line) => line.endsWith(said)));
  }
  await colony.until("they are put away", () => namesIn(colony.messages).length === 1);
  await colony.fence();
  assertEquals(colony.count(/is wrong and put away/), WRONG.length);
  assertEquals(namesIn(join(colony.messages, ".rejected")), names);
  assertEquals(Deno.readTextFileSync(join(colony.messages, ".rejected", names[0]!)), "{");
  assertEquals(starts(colony, "web"), [2]);
});

Deno.test("a message that is a link is put away and not followed", async () => {
  // The watch does not tell of links that lead out of the directory, so this is seen at the next look at everything.
  await using colony = new Colony({ args: ["--frequency", "0.2"], config: { web: CAT } });
  const text = '{"type": "RESTART", "name": "web"}';
  const target = colony.dir.write("target", text);
  const web = await colony.started("web");
  Deno.symlinkSync(target, join(colony.messages, "link"));
  await colony.waitFor(/message "link" is wrong and put away: is a symbolic link/);
  await colony.until("it is put away", () => namesIn(colony.messages).join() === ".rejected");
  assertEquals(Deno.readTextFileSync(target), text);
  assertEquals(colony.pidsOf(), [web]);
});

Deno.test("a message for a name or a group that nobody has is said and removed", async () => {
  await using colony = new Colony({ config: { web: MEMBER } });
  const web = await colony.started("web");
  colony.send({ type: "RESTART", name: "nobody" });
  colony.send({ type: "RESTART-GROUP", group: "nowhere" });
  colony.send({ type: "RESTART", name: "../messages" });
  await colony.waitFor(/WARN message "message-0000": RESTART "nobody": no such process is to run/);
  await colony.waitFor(/WARN message "message-0001": RESTART-GROUP "nowhere": no such process is to run/);
  await colony.waitFor(/WARN message "message-0002": RESTART "\.\.\/messages": no such process is to run/);
  await colony.until("they are removed", () => namesIn(colony.messages).length === 0);
  assertEquals(colony.pidsOf(), [web]);
});

Deno.test("a restart that is asked for right after its process was added finds it", async () => {
  await using colony = new Colony();
  await colony.fence();
  for (let round = 0; round < 5; round++) {
    Deno.writeTextFileSync(join(colony.config, `web-${round}`), JSON.stringify(CAT));
    colony.send({ type: "RESTART", name: `web-${round}` });
    await colony.started(`web-${round}`, 2);
  }
  assertEquals(colony.count(/no such process/), 0);
});

Deno.test("a hundred messages at once are each taken once", async () => {
  await using colony = new Colony({ config: { web: CAT, db: CAT } });
  const db = await colony.started("db");
  for (let count = 0; count < 100; count++) colony.send({ type: "RESTART", name: "web" });
  await colony.until("all are taken", () => colony.count(/message "[^"]+": RESTART "web"/) === 100);
  await colony.fence();
  const pids = colony.pidsOf("web");
  assert(pids.length >= 2);
  assertEquals(pids.filter(isAlive).length, 1);
  assertEquals(colony.pidsOf("db"), [db]);
  assertEquals(namesIn(colony.messages), []);
});

Deno.test("a second request while a process drains does not hit the one that follows it", async () => {
  await using colony = new Colony();
  colony.put("web", { args: sh("trap 'sleep 0.6; exit' TERM; echo ready; while :; do sleep 0.05; done") });
  await colony.waitFor(/^\[web\] ready$/);
  colony.send({ type: "RESTART", name: "web" });
  await colony.waitFor(/ web: running -> stopping \(restart\)$/);
  colony.send({ type: "RESTART", name: "web" });
  await colony.started("web", 2);
  // A restart that waits is due a second after the one before.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  await colony.fence();
  assertEquals(colony.pidsOf("web").length, 2);
  assertEquals(colony.count(/ web: running -> stopping /), 1);
});
