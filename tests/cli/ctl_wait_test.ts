/** `ctl … --wait` exits with 0 if what was asked for is done, and at once with 3 if it has failed. */

import { assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { isAlive, tempDir } from "../helpers.ts";
import { StatusColony } from "./status_files.ts";
import { Terminal, testOnTerminal } from "./terminal.ts";
import { namesIn, type Result, run, sh, toolCommand } from "./tools.ts";

const SLEEP = { args: ["sleep", "1000"] };

/** Runs a ctl that may read and write the directories of a colony, with `--wait`. */
async function ctl(colony: StatusColony, ...args: readonly string[]): Promise<Result> {
  return await run(ctlOf(colony, ...args));
}

/** Returns the words that run it. */
function ctlOf(colony: StatusColony, ...args: readonly string[]): string[] {
  // Deno could show that it loads modules.
  const permissions = ["--quiet", "--allow-read", `--allow-write=${colony.config},${colony.messages}`];
  return [...toolCommand("ctl/mod.ts", permissions), ...colony.places, "--status", colony.status, ...args];
}

const DONE: Result = { code: 0, stdout: "", stderr: "" };

Deno.test("ctl --wait waits until a process was added, stopped, started, changed, restarted and removed", async () => {
  await using colony = new StatusColony();
  await colony.waitFor(/ kill scope /);
  assertEquals(await ctl(colony, "add", "web", "--cmd", "sleep", "--arg", "1000", "--wait"), DONE);
  const first = colony.pidsOf("web");
  assertEquals(first.map(isAlive), [true]);
  assertEquals(await ctl(colony, "stop", "web", "--wait"), DONE);
  assertEquals(isAlive(first[0]!), false);
  assertEquals(await ctl(colony, "start", "web", "--wait"), DONE);
  assertEquals(await ctl(colony, "patch", "web", '{"env": {"A": "1"}}', "--wait"), DONE);
  assertEquals(await ctl(colony, "restart", "web", "--wait"), DONE);
  assertEquals(await ctl(colony, "restart-all", "--wait"), DONE);
  assertEquals([colony.pidsOf("web").length, isAlive(colony.pidsOf("web").at(-1)!)], [5, true]);
  // A second time, nothing is left to do.
  assertEquals(await ctl(colony, "start", "web", "--wait"), DONE);
  assertEquals(await ctl(colony, "remove", "web", "--wait"), DONE);
  assertEquals([colony.pidsOf("web").length, colony.pidsOf("web").map(isAlive)], [5, [
    false,
    false,
    false,
    false,
    false,
  ]]);
});

Deno.test("ctl --wait fails at once when the process dies, with the reason, what it wrote, and the next start", async () => {
  await using colony = new StatusColony({ config: { web: SLEEP } });
  await colony.inState("web", "running");
  const begun = performance.now();
  const added = await ctl(
    colony,
    "add",
    "crash",
    "--cmd",
    "sh",
    "--arg",
    "-c",
    "--arg",
    "echo oops >&2; exit 3",
    "--wait",
    "--timeout",
    "300",
  );
  assertEquals([added.code, added.stdout], [3, ""]);
  assertMatch(
    added.stderr,
    /^ncolony-ctl: crash: exit code 3 after [\d.]+ s; it wrote: oops(; next start \d s later)?\n$/,
  );
  const missing = await ctl(colony, "add", "missing", "--cmd", "/no/such/command", "--wait", "--timeout", "300");
  assertEquals(missing.code, 3);
  assertMatch(missing.stderr, /^ncolony-ctl: missing: cannot start: .*no such file or directory.*\n$/);
  const restarted = await ctl(colony, "restart", "crash", "web", "--wait", "--timeout", "300");
  assertEquals(restarted.code, 3);
  assertMatch(restarted.stderr, /^ncolony-ctl: crash: exit code 3 .*\n$/);
  assertLess(performance.now() - begun, 60_000);
  assertEquals(colony.pidsOf("web").length, 2);
});

Deno.test("ctl --wait gives up after --timeout, and says what the process does", async () => {
  const stubborn = { args: sh("trap '' TERM; echo ready; while :; do sleep 0.05; done") };
  await using colony = new StatusColony({ args: ["--killtime", "20"], config: { web: stubborn } });
  await colony.waitFor(/^\[web\] ready$/);
  const { code, stderr } = await ctl(colony, "stop", "web", "--wait", "--timeout", "0.5");
  assertEquals([code, stderr], [3, "ncolony-ctl: web: not done after 0.5 s: it is stopping\n"]);
  Deno.kill(-colony.pidsOf("web")[0]!, "SIGKILL");
});

Deno.test("ctl --wait writes and sends nothing if there is no monitor, and exits with 4", async () => {
  await using colony = new StatusColony({ config: { web: SLEEP } });
  await colony.inState("web", "running");
  assertEquals(await colony.stop(), 0);
  for (const args of [["restart", "web"], ["stop", "web"], ["restart-all"], ["add", "new", "--cmd", "cat"]]) {
    const { code, stderr } = await ctl(colony, ...args, "--wait");
    assertEquals([code, stderr], [4, `ncolony-ctl: no monitor writes the status in "${colony.status}"\n`]);
  }
  assertEquals([namesIn(colony.messages), namesIn(colony.config)], [[], ["web"]]);
});

Deno.test("ctl --rolling restarts a few at a time, and none after a failure", async () => {
  using dir = tempDir();
  const config = Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, { ...SLEEP, group: ["all"] }]));
  await using colony = new StatusColony({ config });
  await Promise.all(Object.keys(config).map((name) => colony.inState(name, "running")));
  assertEquals(await ctl(colony, "restart-group", "all", "--rolling", "2"), DONE);
  const order = colony.lines.flatMap((line) => / (\w): running -> stopping \(restart\)/.exec(line)?.[1] ?? []);
  assertEquals(order, ["a", "b", "c", "d"]);
  const second = colony.lines.findIndex((line) => / b: stopping -> .*running/.test(line));
  const third = colony.lines.findIndex((line) => / c: running -> stopping/.test(line));
  assertLess(second, third);
  // Works only once more.
  const flag = dir.write("flag", "");
  colony.put("b", { args: sh(`rm '${flag}' && exec sleep 1000`), group: ["all"] });
  await colony.told("b", "changed", ({ state, incarnation }) => state === "running" && incarnation === 3);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  const before = colony.pidsOf("c").length;
  const { code, stderr } = await ctl(colony, "restart-all", "--rolling", "1");
  assertEquals(code, 3);
  assertMatch(stderr, /^ncolony-ctl: b: exit code 1 /);
  assertStringIncludes(stderr, '\nncolony-ctl: not restarted because of that: "c", "d"\n');
  assertEquals(colony.pidsOf("c").length, before);
});

/** Runs ctl on a terminal with these variables. Returns all that it showed, the lines that are left, and its exit code. */
async function onTerminal(
  env: readonly string[],
  words: readonly string[],
): Promise<{ shown: string; left: string[]; code: number }> {
  await using terminal = new Terminal(["env", ...env, ...words]);
  const code = await terminal.ended();
  const shown = terminal.seen.replaceAll("\r\x1b[K", "<clear>").replaceAll("\x1b", "<escape>");
  return { shown, left: shown.split("\r\n").map((line) => line.split("<clear>").at(-1)!), code };
}

testOnTerminal(null, "ctl --wait shows what it waits for, and leaves nothing of that", async () => {
  const long = "n".repeat(100);
  await using colony = new StatusColony({ config: { web: SLEEP, db: SLEEP, [long]: SLEEP } });
  for (const name of ["web", "db", long]) await colony.inState(name, "running");
  const one = await onTerminal(["-u", "NO_COLOR"], ctlOf(colony, "restart", "web", "--wait"));
  assertMatch(one.shown, /^(<clear><escape>\[33m[⠀-⣿]<escape>\[0m waiting for web){2,}<clear>$/);
  assertEquals([one.code, one.left], [0, [""]]);
  const all = await onTerminal(["NO_COLOR=1"], ctlOf(colony, "restart-all", "--wait"));
  assertMatch(all.shown, /^(<clear>[⠀-⣿] waiting for 3 processes)+<clear>$/);
  assertEquals([all.code, all.left], [0, [""]]);
  // A terminal of unknown size is taken to have 80 columns.
  const cut = await onTerminal(["NO_COLOR=1"], ctlOf(colony, "restart", long, "--wait"));
  assertMatch(cut.shown, /^(<clear>[⠀-⣿] waiting for n{65}…)+<clear>$/);
  const failing = ctlOf(colony, "add", "bad", "--cmd", "/no/such/command", "--wait");
  const failed = await onTerminal(["NO_COLOR=1"], failing);
  assertEquals([failed.code, failed.left.length, failed.left[1]], [3, 2, ""]);
  assertMatch(failed.left[0]!, /^ncolony-ctl: bad: cannot start: /);
  assertStringIncludes(failed.shown, "waiting for bad");
});

testOnTerminal(null, "ctl shows nothing without --wait", async () => {
  await using colony = new StatusColony({ config: { web: SLEEP } });
  await colony.inState("web", "running");
  assertEquals((await onTerminal([], ctlOf(colony, "restart", "web"))).shown, "");
});

Deno.test("ctl rejects options of waiting that do not go together", async () => {
  using dir = tempDir();
  const places = ["--config", dir.dir("c"), "--messages", dir.dir("m")];
  for (
    const [args, reason] of [
      [["restart-all", "--timeout", "3"], "--timeout needs --wait"],
      [["restart-all", "--wait"], "--status is missing, or --colony"],
      [["status", "--wait"], "--wait can only be used with add, remove, "],
      [["stop", "web", "--rolling", "2"], "--rolling can only be used with restart, "],
      [["restart-all", "--status", "s", "--rolling", "0"], "--rolling must be a whole number from 1 "],
    ] as const
  ) {
    const { code, stderr } = await run([...toolCommand("ctl/mod.ts", ["--allow-read"]), ...places, ...args]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `ncolony-ctl: ${reason}`);
  }
});

Deno.test("ctl restart --wait fails for a config whose file is invalid, before the timeout", async () => {
  const config = { never: "{", web: SLEEP };
  await using colony = new StatusColony({ args: ["--threshold", "0.1"], config });
  await colony.inState("never", "invalid");
  await colony.inState("web", "running");
  const never = await ctl(colony, "restart", "never", "--wait", "--timeout", "300");
  const json = "invalid JSON at line 1, column 2: a } is missing at the end";
  assertEquals([never.code, never.stderr], [3, `ncolony-ctl: never: its config is invalid: ${json}\n`]);
  colony.put("web", "{");
  await colony.told("web", "invalid", ({ problem }) => problem !== null);
  const web = await ctl(colony, "restart", "web", "--wait", "--timeout", "300");
  const last = "restarted with its last valid config, because its file is invalid";
  assertEquals([web.code, web.stderr], [3, `ncolony-ctl: web: ${last}: ${json}\n`]);
  assertEquals(colony.pidsOf("web").length, 2);
});

Deno.test("ctl restart --wait says who else had the new start stopped, and why", async () => {
  await using colony = new StatusColony({ args: ["--threshold", "1000"], config: { web: SLEEP } });
  await colony.inState("web", "running");
  const asked = ctl(colony, "restart", "web", "--wait", "--timeout", "100");
  await colony.told("web", "restarted", ({ state, starts }) => state === "running" && starts === 2);
  colony.send({ type: "RESTART", name: "web", from: "httpcheck", reason: "status 500" });
  const { code, stderr } = await asked;
  assertEquals(code, 3);
  assertMatch(stderr, /^ncolony-ctl: web: httpcheck had it restarted \(status 500\): SIGTERM after /);
});
