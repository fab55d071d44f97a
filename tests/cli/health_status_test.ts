/** beatcheck and httpcheck tell the health of processes in the status directory, and ctl shows it and waits for it. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { existsSync } from "@std/fs/exists";
import { join } from "@std/path";
import { tempDir } from "../helpers.ts";
import { Checker, Ground, silent, type Tool } from "./checkers.ts";
import { Program } from "./program.ts";
import { asked, Server } from "./servers.ts";
import { lent, StatusColony } from "./status_files.ts";
import { hasCommand, IS_ROOT, makeBundles, type Result, run, toolCommand } from "./tools.ts";

const SCAN = ["--freq", "0.05"];

/** Starts a checker of a colony that tells the health. */
function check(tool: Tool, colony: StatusColony, ...freq: readonly string[]): Program {
  const permissions = ["--allow-read", `--allow-write=${colony.messages},${join(colony.status, `.${tool}`)}`];
  const options = [...colony.places, "--pid", colony.pids, "--status", colony.status, ...SCAN, ...freq];
  const command = toolCommand(`${tool}/mod.ts`, [...permissions, "--allow-env", "--allow-net=127.0.0.1"]);
  return new Program([...command, ...options]);
}

async function ctl(colony: StatusColony, ...args: readonly string[]): Promise<Result> {
  const permissions = ["--allow-read", `--allow-write=${colony.config},${colony.messages}`];
  const words = [...colony.places, "--status", colony.status, ...args];
  return await run([...toolCommand("ctl/mod.ts", permissions), ...words]);
}

/** Returns the exit code of `ctl status`, and what it shows of web's health and problem. */
async function shown(colony: StatusColony): Promise<[code: number, health: string]> {
  const { code, stdout } = await ctl(colony, "status");
  const line = stdout.split("\n").find((line) => line.startsWith("web "))!;
  // NAME, a glyph, STATE, PID, UP with its unit, STARTS and LAST-EXIT come before.
  return [code, line.split(/ +/).slice(8).join(" ")];
}

/** Waits until a checker tells this of web. */
async function told(colony: StatusColony, tool: Tool, healthy: boolean, incarnation = 1): Promise<void> {
  await colony.until(`web is told to be ${healthy ? "" : "un"}healthy`, () => {
    const health = colony.read(`.${tool}`, "web");
    return health?.healthy === healthy && health.incarnation === incarnation;
  });
}

const PATIENT = { period: 0.2, maxBad: 1e9 };

Deno.test("httpcheck tells how a server answers, and ctl status and why show it while it is about the current start", async () => {
  let status = 200;
  await using server = new Server(() => new Response(null, { status }));
  await using colony = new StatusColony({ config: { web: asked(server.url("/"), PATIENT) } });
  await colony.inState("web", "running");
  await using checker = check("httpcheck", colony);
  await told(colony, "httpcheck", true);
  const health = colony.read(".httpcheck", "web")!;
  assertEquals(Object.keys(health), ["healthy", "since", "last", "reason", "incarnation"]);
  assertEquals([health.reason, health.incarnation], ["status 200", 1]);
  assertEquals(await shown(colony), [0, "healthy -"]);

  status = 503;
  await told(colony, "httpcheck", false);
  assertEquals(await shown(colony), [3, "unhealthy is unhealthy (httpcheck: status 503)"]);
  const why = await ctl(colony, "why", "web");
  assertEquals(why.code, 3);
  assertMatch(why.stdout, /^httpcheck has found it unhealthy since \d{4}-\d\d-\d\d [\d:]{8}Z: status 503\.$/m);
  const json = JSON.parse((await ctl(colony, "status", "--json")).stdout);
  assertEquals([json.processes[0].health.httpcheck.healthy, Object.keys(json.processes[0].health)], [false, [
    "httpcheck",
  ]]);

  status = 200;
  colony.send({ type: "RESTART", name: "web" });
  await colony.told("web", "started again", ({ state, incarnation }) => state === "running" && incarnation === 2);
  await told(colony, "httpcheck", true, 2);
  assertEquals(await shown(colony), [0, "healthy -"]);

  // What it told before does not count without it, nor for a start that it has not seen.
  await checker.stop("SIGKILL");
  assertEquals(await shown(colony), [0, "- -"]);
  colony.send({ type: "RESTART", name: "web" });
  await colony.told("web", "started again", ({ state, incarnation }) => state === "running" && incarnation === 3);
  {
    using _lock = locked(join(colony.status, ".httpcheck", ".lock"));
    assertEquals(await shown(colony), [0, "unknown -"]);
  }
  // What was told of a process that is gone.
  Deno.writeTextFileSync(join(colony.status, ".httpcheck", "old"), "{}");
  await using again = check("httpcheck", colony);
  await told(colony, "httpcheck", true, 3);
  colony.put("web", { args: ["cat"] });
  await again.until("it has removed what it told", () => colony.read(".httpcheck", "web") === null);
  assertEquals(colony.read(".httpcheck", "old"), null);
});

Deno.test("beatcheck tells which processes beat, and goes on to tell that one does not until it does", async () => {
  await using colony = new StatusColony();
  const heart = colony.dir.file("heart");
  colony.put("web", { args: ["cat"], ...silent({ period: 4, grace: 0, status: heart }) });
  await colony.inState("web", "running");
  await using checker = check("beatcheck", colony);
  await colony.until("nothing is known", () => colony.read(".beatcheck", "web")?.healthy === null);
  assertEquals(await shown(colony), [0, "unknown -"]);
  Deno.writeTextFileSync(heart, "");
  await told(colony, "beatcheck", true);
  assertEquals(await shown(colony), [0, "healthy -"]);

  // The monitor is too busy to restart it.
  colony.process.kill("SIGSTOP");
  try {
    await told(colony, "beatcheck", false);
    await checker.waitFor(/asked for a restart$/);
    assertEquals(colony.read(".beatcheck", "web")?.reason, "no heartbeat for 4 s");
    assertEquals(await shown(colony), [3, "unhealthy is unhealthy (beatcheck: no heartbeat for 4 s)"]);
  } finally {
    colony.process.kill("SIGCONT");
  }
  await told(colony, "beatcheck", false, 2);
  assertEquals(checker.matching(/ERROR/), []);
});

Deno.test("ctl --wait waits for a good result of the new start, if the config has a check whose health is told", async () => {
  let status = 200;
  await using server = new Server(() => new Response(null, { status }));
  const config = { web: asked(server.url("/"), PATIENT) };
  await using colony = new StatusColony({ args: ["--threshold", "0.1"], config });
  await colony.inState("web", "running");
  status = 500;
  // Nobody tells the health.
  assertEquals(await ctl(colony, "restart", "web", "--wait"), { code: 0, stdout: "", stderr: "" });
  await using checker = check("httpcheck", colony);
  await told(colony, "httpcheck", false, 2);
  const late = await ctl(colony, "restart", "web", "--wait", "--timeout", "2");
  const unhealthy = "it is running, and is unhealthy (httpcheck: status 500)\n";
  assertEquals([late.code, late.stderr], [3, `ncolony-ctl: web: not done after 2 s: ${unhealthy}`]);
  const restart = ctl(colony, "restart", "web", "--wait", "--timeout", "100");
  await told(colony, "httpcheck", false, 4);
  const before = Date.now();
  status = 200;
  assertEquals(await restart, { code: 0, stdout: "", stderr: "" });
  assert(Date.parse(`${colony.read(".httpcheck", "web")?.since}`) >= before);
  // A new process has no file yet when ctl begins to wait.
  const extras = JSON.stringify({ "ncolony.httpcheck": config.web["ncolony.httpcheck"] });
  const added = await ctl(colony, "add", "new", "--cmd", "cat", "--extras", extras, "--wait");
  assertEquals(added, { code: 0, stdout: "", stderr: "" });
  assertEquals(colony.read(".httpcheck", "new")?.healthy, true);
  // Nobody tells the health any more, but what was told is still there.
  await checker.stop("SIGKILL");
  assertEquals(await ctl(colony, "restart", "web", "--wait"), { code: 0, stdout: "", stderr: "" });
});

for (const tool of ["beatcheck", "httpcheck"] as const) {
  Deno.test(`${tool} says which start it asks to restart, unless the status is of another start`, async () => {
    await using server = new Server(() => new Response(null, { status: 500 }));
    using ground = new Ground();
    const [pids, status] = [ground.dir.dir("pids"), ground.dir.dir("status")];
    const heart = silent({ period: 0.1, grace: 0, status: ground.dir.file("heart") });
    ground.put("web", { ...asked(server.url("/"), { period: 0.1, maxBad: 0 }), ...heart });
    Deno.writeTextFileSync(join(pids, "web"), "4711");
    const start = { version: 1, name: "web", state: "running", started: new Date().toISOString(), incarnation: 7 };
    Deno.writeTextFileSync(join(status, "web"), JSON.stringify({ ...start, pid: 4711 }));
    const options = { args: ["--pid", pids, "--status", status, ...SCAN] };
    const sent = async () => {
      await using checker = new Checker(tool, ground, options);
      await checker.asked("web");
      const [file] = [...Deno.readDirSync(ground.messages)].map(({ name }) => name);
      const message = JSON.parse(Deno.readTextFileSync(join(ground.messages, file!)));
      assertEquals(ground.take(), 1);
      return message;
    };
    const { incarnation, from, reason } = await sent();
    assertEquals([incarnation, from], [7, tool]);
    assertMatch(reason, /no heartbeat for 0.1 s|too many bad responses \(last: status 500\)/);
    // The status is of another start than the pid file, so it says nothing.
    Deno.writeTextFileSync(join(status, "web"), JSON.stringify({ ...start, pid: 4712 }));
    assertEquals("incarnation" in await sent(), false);
    // Without pid files, the status may be an old one.
    Deno.writeTextFileSync(join(status, "web"), JSON.stringify({ ...start, pid: 4711 }));
    options.args = ["--status", status, ...SCAN];
    assertEquals("incarnation" in await sent(), false);
  });

  Deno.test(`${tool} goes on without a status directory that it may use, and says so once`, async () => {
    await using server = new Server(() => new Response(null, { status: 500 }));
    using ground = new Ground();
    const status = ground.dir.file("status");
    const heart = silent({ period: 0.1, grace: 0, status: ground.dir.file("heart") });
    ground.put("web", { ...asked(server.url("/"), { period: 0.1, maxBad: 0 }), ...heart });
    await using checker = new Checker(tool, ground, { args: ["--status", status, ...SCAN] });
    await checker.asked("web");
    const said = new RegExp(`WARN cannot report health in ".*/status/.${tool}": `);
    await checker.waitFor(new RegExp(`${said.source}no such file or directory$`));
    // It gets its mode before it appears. Otherwise the checker could use it before the chmod.
    Deno.chmodSync(ground.dir.dir(`prepared/.${tool}`), 0o777);
    Deno.renameSync(ground.dir.file("prepared"), status);
    ground.take();
    await checker.waitFor(
      new RegExp(`${said.source}.*writable by other users \\(mode 0777\\); fix it with chmod or chown$`),
    );
    assertEquals(existsSync(join(status, `.${tool}`, "web")), false);
    Deno.chmodSync(join(status, `.${tool}`), 0o750);
    await checker.waitFor(/INFO health is reported in ".*" again$/);
    await checker.until("it is told", () => existsSync(join(status, `.${tool}`, "web")));
    assertEquals(checker.count(said), 2);
  });
}

Deno.test("what httpcheck finds by an old config is not told of the start with a new one", async () => {
  await using server = new Server((path) => new Response(null, { status: path === "/good" ? 200 : 500 }));
  await using colony = new StatusColony({ config: { web: asked(server.url("/good"), PATIENT) } });
  await colony.inState("web", "running");
  await using _checker = check("httpcheck", colony, "--freq", "3");
  await told(colony, "httpcheck", true);
  colony.put("web", asked(server.url("/bad"), PATIENT));
  const seen = new Set<unknown>();
  await colony.until("the new start is found unhealthy", () => {
    const health = colony.read(".httpcheck", "web");
    if (health?.incarnation === 2) seen.add(health.healthy);
    return seen.has(false);
  });
  assertEquals([...seen], [false]);
});

Deno.test("a process that httpcheck keeps restarting is not well in between, and ctl why says so", async () => {
  await using server = new Server(() => new Response(null, { status: 500 }));
  const web = asked(server.url("/"), { period: 0.5, grace: 200, maxBad: 0 });
  await using colony = new StatusColony({ config: { web } });
  await colony.inState("web", "running");
  const { incarnation } = await colony.inState("web", "running");
  colony.send({ type: "RESTART", name: "web", from: "httpcheck", reason: "too many bad responses", incarnation });
  await colony.told("web", "restarted", (status) => status.state === "running" && status.incarnation === 2);
  await using _checker = check("httpcheck", colony);
  await colony.until("it waits", () => existsSync(join(colony.status, ".httpcheck", ".lock")));
  const health = { healthy: false, since: new Date().toISOString(), last: null, reason: null, incarnation: 1 };
  Deno.writeTextFileSync(join(colony.status, ".httpcheck", "web"), JSON.stringify(health));
  const why = "was restarted by httpcheck (too many bad responses) and has not been healthy since";
  assertEquals(await shown(colony), [3, `unknown ${why}`]);
});

Deno.test("a heartbeat file with a time that no date has is a fault of its process, and beatcheck goes on", async () => {
  await using colony = new StatusColony();
  // tmpfs keeps such a time, other file systems the nearest that they can.
  const hearts = colony.dir.dir("hearts");
  const heart = (name: string) => silent({ period: 1000, grace: 0, status: join(hearts, name) });
  for (const name of ["web", "odd"]) colony.put(name, { args: ["cat"], ...heart(name) });
  await colony.inState("web", "running");
  Deno.writeTextFileSync(join(hearts, "web"), "");
  assertEquals((await run(["touch", "-d", "@99999999999999", join(hearts, "odd")])).code, 0);
  await using checker = check("beatcheck", colony);
  await told(colony, "beatcheck", true);
  await colony.until("odd is judged", () => colony.read(".beatcheck", "odd"));
  assertEquals(checker.isOver, false);
});

Deno.test({
  name: `ctl follows no link in the status directory of another user${IS_ROOT ? "" : " (skipped: needs root)"}`,
  ignore: !IS_ROOT,
  fn: async () => {
    using dir = tempDir();
    const status = dir.dir("status");
    const last = { type: "code", code: 3, at: new Date().toISOString(), lived: 1, asked: false };
    const zero = { version: 1, name: "zero", state: "running", pid: 1, incarnation: 1, last_exit: last };
    Deno.writeTextFileSync(join(status, "zero"), JSON.stringify(zero));
    Deno.symlinkSync("/dev", join(status, ".history"));
    Deno.chownSync(status, 65_534, 65_534);
    const command = toolCommand("ctl/mod.ts", ["--allow-read", "--allow-sys=uid"]);
    const { code, stderr } = await run([...command, "--status", status, "status"]);
    assertEquals([code, stderr], [1, `ncolony-ctl: not a regular file\n`]);
  },
});

const canDrop = IS_ROOT && hasCommand("setpriv");
Deno.test({
  name: `a checker of another user tells the health in a directory of its own${
    canDrop ? "" : " (skipped: needs root, setpriv)"
  }`,
  ignore: !canDrop,
  fn: async () => {
    using dir = tempDir();
    // Another user cannot read the cache of this one.
    const dist = dir.dir("dist");
    await makeBundles(dist, "httpcheck");
    for (const path of [dir.path, dist]) Deno.chmodSync(path, 0o755);
    await using server = new Server(() => new Response());
    await using colony = new StatusColony({ config: { web: asked(server.url("/"), PATIENT) } }, lent(dir));
    await colony.inState("web", "running");
    const nobody = 65_534;
    for (const path of [join(colony.status, ".httpcheck"), dir.dir("cache")]) Deno.chownSync(path, nobody, null);
    Deno.chmodSync(colony.messages, 0o1777);
    for (const path of [colony.dir.path, colony.config, colony.pids, colony.status]) Deno.chmodSync(path, 0o755);
    const permissions = ["--allow-read", "--allow-write", "--allow-net=127.0.0.1", "--allow-sys=uid,gid"];
    const command = [Deno.execPath(), "run", "--no-config", "--no-prompt", ...permissions];
    const options = [...colony.places, "--pid", colony.pids, "--status", colony.status, ...SCAN];
    const words = [...command, join(dist, "ncolony-httpcheck.js"), ...options];
    await using checker = new Program(["setpriv", `--reuid=${nobody}`, "--clear-groups", ...words], {
      env: { DENO_DIR: dir.file("cache"), HOME: dir.path },
    });
    await checker.until("it is told", () => colony.read(".httpcheck", "web")?.healthy);
    assertEquals(Deno.statSync(join(colony.status, ".httpcheck", "web")).uid, nobody);
    assertEquals(await shown(colony), [0, "healthy -"]);

    // What that user puts there cannot block a reader, nor make it read something else.
    await checker.stop();
    const [secret, planted] = [dir.file("secret"), join(colony.status, ".httpcheck", "web")];
    Deno.writeTextFileSync(secret, JSON.stringify({ healthy: false, reason: "secret", incarnation: 1 }));
    using _lock = locked(join(colony.status, ".httpcheck", ".lock"));
    assertEquals(await shown(colony), [0, "healthy -"]);
    for (const plant of [["ln", "-s", secret, planted], ["mkfifo", planted], ["mkdir", planted]]) {
      Deno.removeSync(planted);
      assertEquals((await run(plant)).code, 0);
      assertEquals(await shown(colony), [0, "- -"], plant.join(" "));
    }
  },
});

/** Locks a file as a checker does. */
function locked(path: string): Deno.FsFile {
  const file = Deno.openSync(path, { read: true });
  assert(file.tryLockSync(true));
  return file;
}
