/** `ctl events` tells how processes stand, and then misses nothing that happens. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { tempDir } from "../helpers.ts";
import { Program } from "./program.ts";
import { asked, Server } from "./servers.ts";
import { lent, type RecordedLine, StatusColony } from "./status_files.ts";
import { hasCommand, type Result, run, sh, signalIfThere, toolCommand } from "./tools.ts";

const SLEEP = { args: ["sleep", "1000"] };
const CRASH = { args: sh("exit 3") };

/** Returns the words of `ctl events`, which may only read. */
function words(colony: StatusColony, ...args: readonly string[]): string[] {
  return [...toolCommand("ctl/mod.ts", ["--allow-read"]), "--status", colony.status, "events", ...args];
}

async function events(colony: StatusColony, ...args: readonly string[]): Promise<Result> {
  return await run(words(colony, ...args));
}

const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}/;

/** Returns lines without their times. */
function plain(lines: readonly string[]): string[] {
  return lines.map((line) => {
    if (line !== "") assertMatch(line, TIME);
    return line.replace(TIME, "");
  });
}

function linesOf({ stdout }: Result): string[] {
  return plain(stdout.split("\n").slice(0, -1));
}

Deno.test("ctl events tells how each process stands, and then the last recorded events", async () => {
  const off = { args: ["cat"], "ncolony.monitor": { enabled: false } };
  await using colony = new StatusColony({
    args: ["-m", "30"],
    config: { web: SLEEP, crash: CRASH, bad: "{", off, old: SLEEP },
  });
  const web = await colony.inState("web", "running");
  await colony.inState("crash", "waiting");
  await colony.inState("old", "running");
  colony.remove("old");
  await colony.inState("old", "removed");
  await colony.told("bad", "invalid", ({ state }) => state === "invalid");
  const all = await events(colony);
  assertEquals([all.code, all.stderr], [3, ""]);
  const lines = linesOf(all);
  const end = lines.indexOf("");
  for (
    const [at, pattern] of [
      /^bad has an invalid config: invalid JSON at line 1, column 2: a \} is missing at the end\.$/,
      /^crash waits \d+ s \(exit code 3\)\.$/,
      /^off is disabled\.$/,
      RegExp(`^web has been running for \\d+ s, as pid ${web.pid}\\.$`),
    ].entries()
  ) assertMatch(lines[at]!, pattern);
  assertEquals([end, lines.length - end - 1], [4, colony.recorded().length]);
  assertEquals(lines[end + 1], `The monitor was started as pid ${colony.process.pid}.`);
  for (
    const pattern of [
      /^crash exited with 3 after [\d.]+ s\.$/,
      /^crash waits \d+ s, until [\d-]+ [\d:]+Z\.$/,
      /^old was asked to stop, because its config was removed\.$/,
      /^The config file of old was removed\.$/,
    ]
  ) assert(lines.slice(end).some((line) => pattern.test(line)), `${pattern} in\n${lines.join("\n")}`);

  const some = linesOf(await events(colony, "-n", "2", "crash"));
  assertEquals(some.length, 4);
  assertMatch(some[2]!, /^crash exited with 3 /);
  assertMatch(some[3]!, /^crash waits /);
  const none = await events(colony, "-n", "0", "web", "web", "off");
  assertEquals([none.code, linesOf(none).map((line) => line.split(" ")[0])], [0, ["off", "web"]]);
  assertEquals(linesOf(await events(colony, "-n", "1", "old")).length, 3);
  assertStringIncludes((await events(colony, "-n", "-1")).stderr, "--lines must be a whole number from 0 ");
});

Deno.test("ctl events exits with 4 for a process or a status that does not exist, also with -f", async () => {
  await using colony = new StatusColony({ config: { web: SLEEP } });
  await colony.inState("web", "running");
  for (const option of [[], ["-f"]]) {
    const { code, stdout, stderr } = await events(colony, ...option, "wbe");
    assertEquals([code, stdout, stderr], [4, "", 'ncolony-ctl: There is no "wbe": did you mean "web"?\n']);
  }
  using dir = tempDir();
  const none = await run([...toolCommand("ctl/mod.ts", ["--allow-read"]), "--status", dir.file("no"), "events", "-f"]);
  assertEquals(none.code, 4);
  assertMatch(
    none.stderr,
    /^ncolony-ctl: there is no status in ".*": is a monitor running with --colony or --status\?\n$/,
  );
});

Deno.test("ctl events --json prints an object a line: the monitor, each process as in ctl status, and then events", async () => {
  await using colony = new StatusColony({ args: ["-m", "30"], config: { web: SLEEP, crash: CRASH } });
  await colony.inState("web", "running");
  await colony.inState("crash", "waiting");
  const { code, stdout } = await events(colony, "--json");
  assertEquals(code, 3);
  const [monitor, crash, web, ...recorded] = stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  assertEquals(recorded, colony.recorded());
  for (const line of [monitor, crash, web]) assertEquals([line.id, line.event, line.at], [null, "status", monitor.at]);
  assertEquals([monitor.name, monitor.alive, monitor.pid], [null, true, colony.process.pid]);
  const status = await run([
    ...toolCommand("ctl/mod.ts", ["--allow-read"]),
    "--status",
    colony.status,
    "status",
    "--json",
  ]);
  const told = JSON.parse(status.stdout).processes;
  for (const [at, line] of [crash, web].entries()) {
    const { id: _, at: __, event: ___, fault, ...process } = line;
    const { fault: expected, ...rest } = told[at];
    assertEquals([process, typeof fault], [rest, typeof expected]);
  }
});

/** Returns the lines of a file in a status directory. The last one may be being written. */
function linesIn(colony: StatusColony, name: string): RecordedLine[] {
  try {
    const lines = Deno.readTextFileSync(join(colony.status, name)).split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

Deno.test("ctl events -f misses no event and shows none twice, whenever it is started, over rotation", async () => {
  using dir = tempDir();
  // The file is almost full.
  const at = "2026-01-31T03:00:00.000Z";
  const line = (id: number) => `${JSON.stringify({ id, name: `child${id % 10}`, at, event: "killed" })}\n`;
  const count = Math.floor((1024 * 1024 - 10_000) / line(100_000).length);
  const old = Array.from({ length: count }, (_, nth) => line(100_000 + nth));
  Deno.writeTextFileSync(join(dir.dir("status"), ".events"), old.join(""));
  Deno.chmodSync(dir.file("status"), 0o750);
  const names = Array.from({ length: 12 }, (_, at) => `child${at}`);
  const config = Object.fromEntries(names.map((name) => [name, CRASH]));
  await using colony = new StatusColony({ args: ["-m", "0", "-M", "0.1", "-t", "0.001"], config }, lent(dir));
  for (const name of names) await colony.started(name, 2);
  for (let round = 0; round < 4; round++) {
    await using follower = new Program(words(colony, "-f", "--json"));
    await follower.until("it follows", () => follower.stdout.length > 50 + 50 * round);
    const shown = follower.stdout.map((line) => JSON.parse(line) as RecordedLine & { last_event: number });
    const stands = shown.filter(({ event }) => event === "status");
    assertEquals(stands.length, names.length + 1);
    const last = new Map(stands.map(({ name, last_event }) => [name, last_event]));
    const ids = shown.slice(stands.length).map(({ id }) => id);
    const all = [".events.1", ".events"].flatMap((name) => linesIn(colony, name));
    const expected = all.filter(({ id, name }) => id > last.get(name)! && id <= ids.at(-1)!).map(({ id }) => id);
    assertEquals(ids, expected);
  }
  assert(linesIn(colony, ".events.1").length >= count);
});

Deno.test("ctl events -f goes on with new processes, over a removed status directory and the next monitor, and says that one is gone", async () => {
  using dir = tempDir();
  const place = lent(dir);
  const config = { web: SLEEP };
  await using first = new StatusColony({ args: ["--frequency", "0.3"], config }, place);
  const { pid } = await first.inState("web", "running");
  await using all = new Program(words(first, "-f"));
  await using named = new Program(words(first, "-f", "-n", "1", "web"));
  await all.waitFor(/Z {2}web has been running for /);
  await named.waitFor(/Z {2}web was started as pid \d+ \(start 1\), because the monitor started\.$/);
  first.put("more", SLEEP);
  await all.waitFor(/Z {2}more was started as pid \d+ \(start 1\), because its config was added\.$/);
  await first.until("a full scan has ended", () => first.read(".usage"));
  Deno.renameSync(first.status, `${first.status}.old`);
  await first.inState("web", "running");
  await first.until("it lives again", () => first.read(".usage"));
  first.put("later", SLEEP);
  await all.waitFor(/Z {2}later was started /);
  first.process.kill("SIGKILL");
  await first.process.status;
  const gone = /Z {2}The monitor is gone, and did not shut down cleanly: its processes may still be running\.$/;
  for (const program of [all, named]) await program.waitFor(gone);
  signalIfThere(pid!, "SIGKILL");
  const late = await events(first, "web");
  assertEquals([late.code, linesOf(late).slice(0, 2).map((line) => line.replace(/ It was last seen .*/, ""))], [4, [
    "The state of web is unknown.",
    "The monitor is not running, and did not shut down cleanly: its processes may still be running.",
  ]]);

  await using second = new StatusColony({ config }, place);
  await second.told("web", "started", ({ state, starts }) => state === "running" && starts === 2);
  for (const program of [all, named]) await program.waitFor(/Z {2}web was started as pid \d+ \(start 2\), /);
  assertEquals(await second.stop(), 0);
  await all.waitFor(/Z {2}The monitor \(pid \d+\) has stopped\.$/);
  await named.waitFor(/Z {2}web was ended by SIGTERM after /);
  for (const program of [all, named]) assertEquals([program.count(/gone/), program.stderr], [1, []]);
  assertEquals(plain(named.stdout).filter((line) => !/^web |^$|gone/.test(line)), []);
  const [stood] = linesOf(await events(second, "-n", "0"));
  assertEquals(stood, "web is not running: the monitor has ended.");
});

Deno.test("ctl events -f tells when a checker finds a process unhealthy, and healthy again", async () => {
  let status = 503;
  await using server = new Server(() => new Response(null, { status }));
  const config = { web: asked(server.url("/"), { period: 0.2, maxBad: 1e9 }) };
  await using colony = new StatusColony({ config });
  await colony.inState("web", "running");
  const options = [...colony.places, "--pid", colony.pids, "--status", colony.status, "--freq", "0.05"];
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-net=127.0.0.1"];
  await using checker = new Program([...toolCommand("httpcheck/mod.ts", permissions), ...options]);
  await colony.until("it is unhealthy", () => colony.read(".httpcheck", "web")?.healthy === false);
  await using follower = new Program(words(colony, "-f"));
  await using json = new Program(words(colony, "-f", "--json", "web"));
  await follower.waitFor(/Z {2}web is unhealthy \(httpcheck: status 503\)\.$/);
  await json.until("it follows", () => json.stdout.length === 2);
  status = 200;
  await follower.waitFor(/Z {2}web is healthy \(httpcheck: status 200\)\.$/);
  await json.until("it is told", () => json.stdout.length === 3);
  status = 500;
  await follower.waitFor(/Z {2}web is unhealthy \(httpcheck: status 500\)\.$/);
  await json.until("it is told", () => json.stdout.length === 4);
  const told = json.stdout.slice(2).map((line) => JSON.parse(line));
  assertEquals(told.map(({ id, name, event, check, reason }) => [id, name, event, check, reason]), [
    [null, "web", "healthy", "httpcheck", "status 200"],
    [null, "web", "unhealthy", "httpcheck", "status 500"],
  ]);
  assertEquals([follower.stdout.length, checker.isOver], [3, false]);
});

Deno.test("ctl events ends quietly when nobody reads it, also with -f", async () => {
  await using colony = new StatusColony({ args: ["-m", "0", "-M", "0.1"], config: { web: SLEEP, crash: CRASH } });
  await colony.inState("web", "running");
  const command = (...args: string[]) => words(colony, ...args).map((word) => `'${word}'`).join(" ");
  for (const args of [[], ["-f"]]) {
    const { stdout, stderr } = await run(["sh", "-c", `{ ${command(...args)}; echo "code $?" >&2; } | head -1`]);
    assertEquals(stdout.split("\n").length, 2);
    assertMatch(stderr, args.length === 0 ? /^code [03]\n$/ : /^code 0\n$/);
  }
});

const hasScript = hasCommand("script");

Deno.test({
  name: `what is not well is red in ctl events on a terminal, unless NO_COLOR is set, and no text controls it${
    hasScript ? "" : " (skipped: needs script)"
  }`,
  ignore: !hasScript,
  fn: async () => {
    await using colony = new StatusColony({ config: { web: SLEEP, missing: { args: ["/no/\x1b[2Jsuch"] } } });
    await colony.inState("web", "running");
    await colony.inState("missing", "waiting");
    const shown = async (before: string, ...args: string[]) => {
      const command = words(colony, ...args).map((word) => `'${word}'`).join(" ");
      return (await run(["script", "-qec", `${before} ${command}`, "/dev/null"])).stdout.replaceAll("\r", "");
    };
    const colors = (await shown("unset NO_COLOR;")).replaceAll("\x1b[31m", "<red>").replaceAll("\x1b[0m", "</red>");
    assertMatch(colors, /^<red>[\d-]+ [\d:]+Z {2}missing waits .*no such file or directory.*\.<\/red>$/m);
    assertMatch(colors, /^<red>[\d-]+ [\d:]+Z {2}missing could not be started: .*\/no\/\\u001b\[2Jsuch.*<\/red>$/m);
    assertMatch(colors, /^[\d-]+ [\d:]+Z {2}web was started /m);
    for (const args of [[], ["--json"]]) assert(!(await shown("NO_COLOR=1", ...args)).includes("\x1b"));
    assert(!(await events(colony)).stdout.includes("\x1b"));
  },
});
