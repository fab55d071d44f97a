import { assertEquals, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { namesIn, sh } from "./tools.ts";

const CAT = { args: ["cat"] };
const MEMBER = { args: ["cat"], group: ["front", "eu"] };

/** Returns how often each process was started. */
function starts(colony: Colony, ...names: string[]): number[] {
  return names.map((name) => colony.pidsOf(name).length);
}

Deno.test("ctl's restart, restart-all and restart-group restart only the processes they name", async () => {
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

Deno.test("the monitor understands every spelling of a message, renamed into place or written in place", async () => {
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
  ["{", "invalid JSON at line 1, column 2: a } is missing at the end"],
  ['["RESTART"]', "must be a JSON object: got an array"],
  ['{"name": "web"}', '"type" must be RESTART, RESTART-ALL or RESTART-GROUP: got nothing'],
  ['{"type": "STOP", "name": "web"}', '"type" must be RESTART, RESTART-ALL or RESTART-GROUP: got another string'],
  ['{"type": "RESTART"}', '"name" must be a string: got nothing'],
  ['{"type": "RESTART", "name": 5}', '"name" must be a string: got a number'],
  ['{"type": "RESTART-GROUP"}', '"group" must be a string: got nothing'],
  [" ".repeat(70_000), "must be at most 65536 bytes"],
];

Deno.test("the monitor logs an invalid message once, moves it to .rejected, and takes the next one", async () => {
  await using colony = new Colony({ config: { web: CAT } });
  await colony.started("web");
  const names = WRONG.map(([text]) => colony.send(text));
  colony.send({ type: "RESTART", name: "web" });
  await colony.started("web", 2);
  for (const [index, [, reason]] of WRONG.entries()) {
    const said = `message ${JSON.stringify(names[index])} is invalid and was moved to .rejected: ${reason}`;
    await colony.until(said, () => colony.lines.some((line) => line.endsWith(said)));
  }
  await colony.until("they are put away", () => namesIn(colony.messages).length === 1);
  await colony.fence();
  assertEquals(colony.count(/is invalid and was moved to .rejected/), WRONG.length);
  assertEquals(namesIn(join(colony.messages, ".rejected")), names);
  assertEquals(Deno.readTextFileSync(join(colony.messages, ".rejected", names[0]!)), "{");
  assertEquals(starts(colony, "web"), [2]);
});

Deno.test("the monitor moves a message that is a symlink to .rejected, and does not follow it", async () => {
  // The watch does not report symlinks that lead out of the directory, so the next full scan finds this one.
  await using colony = new Colony({ args: ["--frequency", "0.2"], config: { web: CAT } });
  const text = '{"type": "RESTART", "name": "web"}';
  const target = colony.dir.write("target", text);
  const web = await colony.started("web");
  Deno.symlinkSync(target, join(colony.messages, "link"));
  await colony.waitFor(/message "link" is invalid and was moved to .rejected: is a symbolic link/);
  await colony.until("it is put away", () => namesIn(colony.messages).join() === ".rejected");
  assertEquals(Deno.readTextFileSync(target), text);
  assertEquals(colony.pidsOf(), [web]);
});

Deno.test("the monitor logs and removes a message for an unknown name or group", async () => {
  await using colony = new Colony({ config: { web: MEMBER } });
  const web = await colony.started("web");
  colony.send({ type: "RESTART", name: "nobody" });
  colony.send({ type: "RESTART-GROUP", group: "nowhere" });
  colony.send({ type: "RESTART", name: "../messages" });
  await colony.waitFor(/WARN message "message-0000": RESTART "nobody": no such process is configured/);
  await colony.waitFor(/WARN message "message-0001": RESTART-GROUP "nowhere": no such process is configured/);
  await colony.waitFor(/WARN message "message-0002": RESTART "\.\.\/messages": no such process is configured/);
  await colony.until("they are removed", () => namesIn(colony.messages).length === 0);
  assertEquals(colony.pidsOf(), [web]);
});

Deno.test("a restart request right after its process was added finds the process", async () => {
  await using colony = new Colony();
  await colony.fence();
  for (let round = 0; round < 5; round++) {
    Deno.writeTextFileSync(join(colony.config, `web-${round}`), JSON.stringify(CAT));
    colony.send({ type: "RESTART", name: `web-${round}` });
    await colony.started(`web-${round}`, 2);
  }
  assertEquals(colony.matching(/no such process/), []);
});

Deno.test("the monitor takes each of a hundred messages at once exactly once", async () => {
  await using colony = new Colony({ config: { web: CAT, db: CAT } });
  const db = await colony.started("db");
  for (let count = 0; count < 100; count++) colony.send({ type: "RESTART", name: "web" });
  await colony.until("all are taken", () => colony.count(/message "[^"]+": RESTART "web"/) === 100);
  await colony.started("web", 2);
  await colony.fence();
  assertEquals(colony.pidsOf("web").filter(isAlive).length, 1);
  assertEquals(colony.pidsOf("db"), [db]);
  assertEquals(namesIn(colony.messages), []);
});

Deno.test("a second request while a process stops does not hit its successor", async () => {
  await using colony = new Colony();
  colony.put("web", { args: sh("trap 'sleep 0.6; exit' TERM; echo ready; while :; do sleep 0.05; done") });
  await colony.waitFor(/^\[web\] ready$/);
  colony.send({ type: "RESTART", name: "web" });
  await colony.waitFor(/ web: running -> stopping \(restart\)$/);
  colony.send({ type: "RESTART", name: "web" });
  await colony.started("web", 2);
  // A delayed restart is due a second after the previous one.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  await colony.fence();
  assertEquals(colony.pidsOf("web").length, 2);
  assertEquals(colony.count(/ web: running -> stopping /), 1);
});
