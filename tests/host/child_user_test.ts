import { assertEquals, assertMatch } from "@std/assert";
import { tempDir, until } from "../helpers.ts";
import { Actor, canRun, IS_ROOT, NOBODY } from "./actors.ts";
import { ending, Trial } from "./children.ts";

const IDS = ["sh", "-c", "id -u; id -g; id -G"];

/** The words that run a command with these supplementary groups. */
const IN_GROUPS = ["setpriv", "--groups", "1,2,3"];

/** Defines a test that only root can run. `others` names the commands that it needs. */
function rootTest(name: string, fn: () => Promise<void>, ...others: string[]): void {
  const ignore = !IS_ROOT || !others.every((command) => canRun(command, "--version"));
  Deno.test({ name: `${name} (skipped ${["unless run by root", ...others].join(" with ")})`, ignore, fn });
}

/** Returns a child's user, group and supplementary groups. Its parent runs by `under`, or as `uid`, in `cwd`. */
async function idsOf(
  config: Record<string, unknown>,
  under: string[] = [],
  uid?: number,
  cwd?: string,
): Promise<string[]> {
  const args = ["spawn", JSON.stringify({ args: IDS, ...config }), ...(uid === undefined ? [] : [`${uid}`])];
  await using actor = new Actor(args, under, cwd);
  const { text, events } = JSON.parse(await actor.result());
  return text === "" ? events : text.trimEnd().split("\n");
}

Deno.test("spawnChild() starts a child as the monitor's user", async () => {
  await using trial = new Trial(["id", "-u"]);
  assertEquals(await trial.result(), `${Deno.uid()}\n`);
});

rootTest("spawnChild() starts a child as another user and group", async () => {
  await using trial = new Trial(IDS, { uid: NOBODY, gid: 7, "ncolony.monitor": { cwd: "/" } });
  assertEquals(await trial.result(), `${NOBODY}\n7\n7\n`);
});

rootTest("spawnChild() reports what a child of another user needs if it may not run its command", async () => {
  await using trial = new Trial(["/etc/passwd"], { uid: NOBODY });
  assertMatch(trial.events.join(), /permission denied for uid \d+ to execute it, or to enter the working directory/);
});

rootTest("spawnChild() keeps the supplementary groups if the monitor is not root", async () => {
  assertEquals(await idsOf({}, IN_GROUPS, NOBODY), [`${NOBODY}`, "0", "0 1 2 3"]);
}, "setpriv");

rootTest("spawnChild() drops the supplementary groups if the config names a user and a group", async () => {
  assertEquals(await idsOf({ uid: NOBODY, gid: 7 }, IN_GROUPS), [`${NOBODY}`, "7", "7"]);
}, "setpriv");

rootTest("spawnChild() drops the supplementary groups if the config names only a user", async () => {
  assertEquals(await idsOf({ uid: NOBODY }, IN_GROUPS), [`${NOBODY}`, "0", "0"]);
}, "setpriv");

rootTest("spawnChild() drops the supplementary groups if the config names only a group", async () => {
  assertEquals(await idsOf({ gid: 7 }, IN_GROUPS), ["0", "7", "7"]);
}, "setpriv");

rootTest("spawnChild() starts a child as the user that it already is, without being root", async () => {
  assertEquals((await idsOf({ uid: NOBODY }, [], NOBODY))[0], `${NOBODY}`);
});

rootTest("spawnChild() reports that it may not start a child as another user", async () => {
  for (const config of [{ uid: 0 }, { uid: 1, gid: 1 }, { gid: 7 }]) {
    const [exited, emptied] = await idsOf(config, [], NOBODY);
    assertMatch(exited, /^leader-exited: cannot start: .*(not permitted|denied)/);
    assertEquals(emptied, "group-exited");
  }
});

rootTest("spawnChild() reports that it may not enter its own working directory", async () => {
  using dir = tempDir();
  const failed = async (cwd: string) => (await idsOf({}, [], NOBODY, cwd))[0];
  assertMatch(
    await failed(dir.path),
    /^leader-exited: cannot start: .*: permission denied to execute it, or to enter the working directory$/,
  );
  assertMatch(
    await failed(dir.dir("below")),
    /^leader-exited: cannot start: the working directory no longer exists, or cannot be entered$/,
  );
  assertEquals((await idsOf({ "ncolony.monitor": { cwd: "/" } }, [], NOBODY, dir.path))[0], `${NOBODY}`);
});

rootTest("Child.signal() reports a refused signal once, and retry() sends it again", async () => {
  await using actor = new Actor(["refuse", `${NOBODY}`, "1"]);
  using _child = ending(Number(await until("the child is started", () => /^pid (\d+)$/m.exec(actor.stdout)?.[1])));
  const [, refused, ended] = (await actor.result()).split("\n");
  const { events, ...rest } = JSON.parse(refused);
  assertEquals(rest, { refused: true });
  assertEquals(events.length, 1);
  assertMatch(events[0], /^warn: cannot send SIGTERM to pid \d+: permission denied$/);
  assertEquals(JSON.parse(ended), { refused: false, events: ["leader-exited: SIGINT", "group-exited"] });
});
