/** The real monitor reports the state of its processes in its status directory. */

import { assert, assertEquals, assertLess, assertMatch, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { lstat } from "../../host/files/lstat.ts";
import { SCHEMAS } from "../../tools/schemas.ts";
import { isAlive, tempDir, until } from "../helpers.ts";
import { lent, StatusColony } from "./status_files.ts";
import { hasCommand, IS_ROOT, MONITOR_PERMISSIONS, run, sh, toolCommand } from "./tools.ts";

const SECRET = "hunter2";

const NO_EXITS = { asked: 0, success: 0, error: 0, signal: 0, not_started: 0, unknown: 0 };

/** Ignores SIGTERM. */
const STUBBORN = sh("trap '' TERM; echo ready; while :; do sleep 0.05; done");

Deno.test("STATUS/NAME tells the truth about a crash loop, a missing command, a bad config and a disabled process", async () => {
  const config = {
    web: { args: ["sleep", "1000"], env: { TOKEN: SECRET } },
    crash: { args: sh(`echo one >&2; echo ${SECRET.length} >&2; exit 3`), env: { TOKEN: SECRET } },
    missing: { args: ["/no/such/command", SECRET] },
    bad: `{"args": ["cat"],\n "uid": "${SECRET}"}`,
    off: { args: ["cat", SECRET], "ncolony.monitor": { enabled: false } },
  };
  await using colony = new StatusColony({ config });
  const web = await colony.inState("web", "running");
  assertEquals([web.name, web.pid, web.incarnation, web.starts], ["web", await colony.started("web"), 1, 1]);
  assertEquals([web.cause?.kind, web.last_exit, web.problem, web.threshold], ["monitor", null, null, 1]);
  assertMatch(`${web.config_sha256}`, /^[0-9a-f]{64}$/);
  const crash = await colony.told("crash", "waiting again", ({ state, starts }) => state === "waiting" && starts === 2);
  const { at, lived, ...exit } = crash.last_exit!;
  assertEquals(exit, {
    type: "code",
    code: 3,
    signal: null,
    reason: null,
    asked: false,
    stderr: ["one", `${SECRET.length}`],
  });
  assertMatch(`${at}`, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assertLess(Number(lived), 1);
  assert(Number(crash.delay) > 1 && Number(crash.delay) <= 2, `a delay of ${crash.delay}`);
  assertEquals([crash.pid, crash.cause?.kind, colony.story("crash")], [
    null,
    "exit",
    "started exited waiting started exited waiting",
  ]);
  assertEquals([web.exits, crash.exits], [NO_EXITS, { ...NO_EXITS, error: 2 }]);
  const missing = await colony.inState("missing", "waiting");
  assertEquals(missing.exits, { ...NO_EXITS, not_started: missing.starts });
  assertEquals([missing.last_exit?.type, missing.last_exit?.lived, missing.pid], ["failed", null, null]);
  assertMatch(`${missing.last_exit?.reason}`, /no such file or directory/);
  const bad = await colony.inState("bad", "invalid");
  const { since: _, ...problem } = bad.problem!;
  assertEquals(problem, {
    message: '"uid" must be a number from 0 to 4294967294: got a string',
    field: "uid",
    line: 2,
    column: 2,
  });
  const history = colony.read(".history", "bad")?.history as { at: string }[];
  const { at: _at, ...event } = history[0]!;
  assertEquals(event, { event: "problem", ...problem });
  assertEquals((await colony.inState("off", "disabled")).problem, null);
  assertEquals(await colony.stop(), 0);
  for (const name of ["web", "crash", "missing"]) assertEquals(colony.read(name)?.state, "stopped");
  const texts = (await run(["grep", "-r", SECRET, colony.status])).stdout;
  assertEquals(texts, "", "no arguments and no environment");
});

Deno.test("STATUS/NAME never says that a command runs that does not exist", async () => {
  await using colony = new StatusColony({ args: ["-m", "0", "-M", "0"], config: { web: { args: ["/no/such"] } } });
  const states = new Set<unknown>();
  await colony.until("it was tried three times", () => {
    const status = colony.read("web");
    states.add(status?.state);
    return Number(status?.incarnation) >= 3;
  });
  assertEquals(states.has("running"), false);
});

Deno.test("STATUS/NAME names what does not end, and that it is being killed", async () => {
  await using colony = new StatusColony({ args: ["--killtime", "0.3"], config: { web: { args: STUBBORN } } });
  await colony.waitFor(/^\[web\] ready$/);
  colony.remove("web");
  const { state, pid } = await colony.told("web", "stopping", ({ state }) => state !== "running");
  assertNotEquals([state, pid], ["running", null]);
  const removed = await colony.inState("web", "removed");
  assertEquals([removed.pid, colony.story("web")], [null, "started stop-requested killed exited removed"]);
});

Deno.test("STATUS/NAME says who asked for a restart, and why, and which keys of a config changed", async () => {
  await using colony = new StatusColony({ config: { web: { args: ["sleep", "1000"] } } });
  await colony.inState("web", "running");
  const file = colony.send({ type: "RESTART", name: "web", from: "httpcheck", reason: "3 bad answers" });
  const asked = await colony.told(
    "web",
    "restarted",
    ({ state, incarnation }) => state === "running" && incarnation === 2,
  );
  const none = { message: null, from: null, reason: null, keys: null };
  const why = { message: file, from: "httpcheck", reason: "3 bad answers" };
  assertEquals(asked.cause, { ...none, ...why, kind: "message", messages: [file] });
  assertEquals([asked.last_exit?.asked, asked.exits], [true, { ...NO_EXITS, asked: 1 }]);
  await colony.waitFor(RegExp(`INFO message "${file}": RESTART "web" \\(httpcheck: 3 bad answers\\)$`));
  colony.put("web", { args: ["sleep", "1000"], env: { A: "1" }, "ncolony.monitor": { kill_time: 3 } });
  const changed = await colony.told(
    "web",
    "changed",
    ({ state, incarnation }) => state === "running" && incarnation === 3,
  );
  assertEquals(changed.cause, { ...none, kind: "config", keys: ["env", "ncolony.monitor"] });
});

Deno.test("a restart that is meant for an older start is logged and dropped", async () => {
  await using colony = new StatusColony({ config: { web: { args: ["sleep", "1000"] } } });
  await colony.inState("web", "running");
  const ask = (incarnation: number) => colony.send({ type: "RESTART", name: "web", incarnation });
  ask(1);
  await colony.told("web", "restarted", ({ state, incarnation }) => state === "running" && incarnation === 2);
  ask(1);
  await colony.waitFor(/INFO web: ignored a restart meant for start 1, which has ended$/);
  ask(2);
  await colony.told("web", "restarted", ({ state, incarnation }) => state === "running" && incarnation === 3);
  assertEquals(colony.pidsOf("web").length, 3);
});

Deno.test("STATUS goes on across restarts of the monitor, and forgets what is no longer configured", async () => {
  using dir = tempDir();
  const place = lent(dir);
  const crash = { args: sh("echo oops >&2; exit 3") };
  {
    await using first = new StatusColony({ config: { web: { args: ["sleep", "1000"] }, crash, old: crash } }, place);
    await first.told("crash", "waiting", ({ state }) => state === "waiting");
    await first.inState("old", "waiting");
    await first.inState("web", "running");
    first.process.kill("SIGKILL");
    await first.process.status;
  }
  await using second = new StatusColony({ config: { web: { args: ["sleep", "1000"] }, crash } }, place);
  const web = await second.told("web", "started again", ({ state, starts }) => state === "running" && starts === 2);
  assertEquals([web.incarnation, second.story("web")], [2, "started exited started"]);
  const again = await second.told("crash", "waiting again", ({ state, starts }) => state === "waiting" && starts >= 2);
  assertMatch(second.story("crash"), /^started exited waiting started exited waiting/);
  assertEquals(again.last_exit?.stderr, ["oops"]);
  assertEquals([web.exits, again.exits], [{ ...NO_EXITS, unknown: 1 }, { ...NO_EXITS, error: again.starts }]);
  await until("the old one is forgotten", () => second.read("old") === null && second.read(".history", "old") === null);
});

Deno.test("STATUS/.monitor and STATUS/.lock tell a monitor that lives from one that is gone", async () => {
  using dir = tempDir();
  const place = lent(dir);
  await using colony = new StatusColony({ args: ["--frequency", "0.3"], config: { web: { args: ["cat"] } } }, place);
  await colony.inState("web", "running");
  const isLocked = async () => (await run(["flock", "-n", "-s", join(colony.status, ".lock"), "true"])).code !== 0;
  assertEquals(await isLocked(), true);
  colony.send({ type: "RESTART", name: "web" });
  colony.send("nonsense");
  const monitor = await colony.until("its messages are counted", () => {
    const told = colony.read(".monitor");
    return told?.messages_taken === 1 && told.messages_rejected === 1 && told.last_scan !== null && told;
  });
  const { pid, stopped, config, messages, pids, frequency, threshold, kill_time } = monitor;
  assertEquals([pid, stopped, config, messages, pids], [
    colony.process.pid,
    null,
    colony.config,
    colony.messages,
    colony.pids,
  ]);
  assertEquals([frequency, threshold, kill_time], [0.3, 1, 5]);
  assertEquals(await colony.stop(), 0);
  assertMatch(`${colony.read(".monitor")?.stopped}`, /^\d{4}-/);
  assertEquals(await isLocked(), false);
});

Deno.test("a second monitor leaves the status directory of the first one alone, until that is gone", async () => {
  using dir = tempDir();
  const place = lent(dir);
  const args = ["--frequency", "0.3"];
  await using first = new StatusColony({ args, config: { web: { args: ["cat"] } } }, place);
  await first.inState("web", "running");
  await using second = new StatusColony({ args, config: { web: { args: ["cat"] }, db: { args: ["cat"] } } }, place);
  await second.waitFor(/WARN cannot keep the status directory ".*" up to date: another program holds its lock file$/);
  await second.started("db");
  assertEquals([first.read("db"), first.read(".monitor")?.pid], [null, first.process.pid]);
  assertEquals(await first.stop(), 0);
  await second.inState("db", "running");
  assertEquals(second.read(".monitor")?.pid, second.process.pid);
});

Deno.test("the history keeps the last 32 events, and the status the last 3 lines of stderr", async () => {
  const script = "for i in $(seq 30); do echo line $i >&2; done";
  const args = ["-t", "0", "-m", "0", "-M", "0"];
  await using colony = new StatusColony({ args, config: { web: { args: sh(script) } } });
  await colony.told("web", "started often", ({ starts }) => starts > 20);
  const { history, stderr } = colony.read(".history", "web") as {
    history: { incarnation: number }[];
    stderr: string[];
  };
  assertEquals([history.length, stderr.length], [32, 20]);
  assertEquals(history.filter(({ incarnation }) => incarnation === 1), []);
  const { last_exit } = await colony.told("web", "dead", ({ last_exit }) => last_exit !== null);
  assertEquals(last_exit?.stderr, ["line 28", "line 29", "line 30"]);
});

Deno.test("the files in STATUS are readable by its group, and an existing directory keeps its mode", async () => {
  const modes = async (path: string) => (await run(["stat", "-c", "%a", path])).stdout.trim();
  await using colony = new StatusColony({ config: { web: { args: ["cat"] } } });
  await colony.inState("web", "running");
  const paths = ["", ".history", ".lock", ".monitor", "web", ".history/web"].map((name) => join(colony.status, name));
  assertEquals(await Promise.all(paths.map(modes)), ["750", "750", "640", "640", "640", "640"]);
  using dir = tempDir();
  Deno.chmodSync(dir.dir("status"), 0o2751);
  await using other = new StatusColony({ config: { web: { args: ["cat"] } } }, lent(dir));
  await other.inState("web", "running");
  assertEquals(await modes(other.status), "2751");
});

Deno.test({
  name: `all that is in STATUS has its group, if that is set to be inherited${IS_ROOT ? "" : " (skipped: needs root)"}`,
  ignore: !IS_ROOT,
  fn: async () => {
    using dir = tempDir();
    const status = dir.dir("status");
    Deno.chownSync(status, 0, 12_345);
    Deno.chmodSync(status, 0o2750);
    await using colony = new StatusColony(
      { args: ["--frequency", "0.3"], config: { web: { args: ["cat"] } } },
      lent(dir),
    );
    await colony.inState("web", "running");
    await colony.until("the usage is told", () => colony.read(".usage"));
    const found = await run(["find", status, "!", "-gid", "12345"]);
    assertEquals(found.stdout, "");
  },
});

Deno.test("the monitor writes its status with the least permissions", async () => {
  using dir = tempDir();
  const place = lent(dir);
  const write = `--allow-write=${dir.path},/tmp`;
  const permissions = MONITOR_PERMISSIONS.map((flag) => flag === "--allow-write" ? write : flag);
  await using colony = new StatusColony({ permissions, config: { web: { args: ["cat"] } } }, place);
  await colony.inState("web", "running");
  assertEquals(colony.matching(/WARN|ERROR/), []);
});

Deno.test("the monitor does not use a status directory that other users may write", async () => {
  using dir = tempDir();
  Deno.chmodSync(dir.dir("status"), 0o777);
  const places = ["--config", dir.dir("config"), "--messages", dir.dir("messages"), "--status", dir.file("status")];
  const { code, stderr } = await run([...toolCommand("monitor/mod.ts", MONITOR_PERMISSIONS), ...places]);
  assertEquals(code, 1);
  assertMatch(stderr, /^ncolony-monitor: Cannot use directory ".*status": writable by other users \(mode 0777\)/);
});

Deno.test("what a neighbour planted in STATUS is replaced, and neither followed nor read", async () => {
  using dir = tempDir();
  const status = dir.dir("status");
  Deno.chmodSync(status, 0o750);
  const victim = dir.write("victim", "untouched");
  Deno.symlinkSync(victim, join(status, "web"));
  Deno.symlinkSync(victim, join(status, ".lock"));
  Deno.symlinkSync(victim, join(status, ".monitor"));
  assertEquals((await run(["mkfifo", join(status, "fifo")])).code, 0);
  Deno.writeTextFileSync(join(status, "huge"), "[".repeat(10_000_000));
  const cat = { args: ["cat"] };
  const config = { web: cat, fifo: cat, huge: cat };
  await using colony = new StatusColony({ config }, lent(dir));
  for (const name of Object.keys(config)) {
    await until("it is replaced", () => {
      const { isFile, size } = lstat(join(status, name)) ?? { isFile: false, size: 0 };
      return isFile && size < 10_000;
    });
    assertEquals((await colony.inState(name, "running")).incarnation, 1);
  }
  assertEquals(Deno.readTextFileSync(victim), "untouched");
});

Deno.test("a status directory that was removed is there again after the next full scan, with all files", async () => {
  await using colony = new StatusColony({ args: ["--frequency", "0.3"], config: { web: { args: ["cat"] } } });
  await colony.inState("web", "running");
  await colony.until("a full scan has ended", () => colony.read(".usage"));
  // Removing one file after the other could race with the monitor.
  Deno.renameSync(colony.status, `${colony.status}.old`);
  await colony.inState("web", "running");
  await colony.until("the others are there", () => [".monitor", ".usage"].every((name) => colony.read(name)));
  assertEquals(colony.story("web"), "started");
  assertEquals(await run(["flock", "-n", "-s", join(colony.status, ".lock"), "true"]).then(({ code }) => code), 1);
});

/** Puts a file in the place of a directory, which the monitor may make again in between. */
function replaceByFile(path: string): void {
  for (let nth = 0;; nth++) {
    Deno.renameSync(path, `${path}.${nth}`);
    try {
      return Deno.writeTextFileSync(path, "in the way", { createNew: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

Deno.test("a status directory that is gone is made again, and one fault and one recovery are logged", async () => {
  await using colony = new StatusColony({ args: ["--frequency", "0.3"], config: { web: { args: ["sleep", "1000"] } } });
  const { pid } = await colony.inState("web", "running");
  replaceByFile(colony.status);
  await colony.waitFor(/WARN cannot keep the status directory ".*" up to date: /);
  colony.put("more", { args: ["cat"] });
  await colony.started("more");
  Deno.removeSync(colony.status);
  await colony.waitFor(/INFO the status directory ".*" is up to date again$/);
  await colony.inState("web", "running");
  await colony.inState("more", "running");
  assertEquals([colony.count(/cannot keep the status/), colony.count(/up to date again/)], [1, 1]);
  assertEquals([colony.pidsOf("web"), isAlive(pid!)], [[pid!], true]);
  assertEquals(await run(["flock", "-n", "-s", join(colony.status, ".lock"), "true"]).then(({ code }) => code), 1);
});

for (const [what, options] of [["full", "nr_inodes=1"], ["read-only", "ro"]] as const) {
  const canMount = IS_ROOT && hasCommand("unshare");
  Deno.test({
    name: `a status directory on a ${what} file system stops nothing, and is logged once${
      canMount ? "" : " (skipped: needs root, unshare)"
    }`,
    ignore: !canMount,
    fn: async () => {
      using dir = tempDir();
      const mount = `mount -t tmpfs -o mode=0755 none '${dir.dir("status")}' && mkdir '${dir.dir("status")}/.history' &&
        mount -o remount,${options === "ro" ? "ro" : "nr_inodes=2"},mode=0755 '${dir.dir("status")}' && exec "$@"`;
      await using colony = new StatusColony({
        args: ["--frequency", "0.3"],
        wrap: ["unshare", "--mount", ...sh(mount), "sh"],
        config: { web: { args: ["cat"] } },
      }, lent(dir));
      await colony.started("web");
      await colony.waitFor(/WARN cannot keep the status directory ".*" up to date: .*/);
      for (let nth = 2; nth <= 3; nth++) {
        colony.send({ type: "RESTART", name: "web" });
        await colony.started("web", nth);
      }
      assertEquals([await colony.stop(), colony.count(/status directory/)], [0, 1]);
    },
  });
}

Deno.test("status.schema.json accepts what the monitor writes, in every state", async () => {
  const slow = { args: sh("trap '' TERM; echo ready; while :; do sleep 0.05; done") };
  const config = {
    web: { args: ["cat"] },
    crash: { args: sh("echo oops >&2; exit 3") },
    missing: { args: ["/no/such"] },
    slow: { ...slow, "ncolony.monitor": { kill_time: 1 } },
    off: { args: ["cat"], "ncolony.monitor": { enabled: false } },
    bad: "{",
  };
  await using colony = new StatusColony({ args: ["-m", "30"], config });
  const validate = new Ajv2020({ strict: false }).compile(SCHEMAS.status!);
  const seen = new Set<string>();
  const check = (name: string) => {
    const status = colony.read(name);
    assert(status === null || validate(status), `${JSON.stringify(status)} ${JSON.stringify(validate.errors)}`);
    if (status !== null) seen.add(`${status.state}`);
  };
  await colony.inState("web", "running");
  for (const name of ["crash", "missing"]) await colony.inState(name, "waiting");
  await colony.inState("off", "disabled");
  await colony.waitFor(/^\[slow\] ready$/);
  for (const name of Object.keys(config)) check(name);
  colony.send({ type: "RESTART", name: "web", from: "me", reason: "for fun" });
  await colony.told("web", "restarted", ({ incarnation }) => incarnation === 2);
  colony.put("web", "[");
  await colony.told("web", "invalid", ({ problem }) => problem !== null);
  check("web");
  colony.remove("slow");
  await colony.until("slow is removed", () => {
    check("slow");
    return colony.read("slow")?.state === "removed";
  });
  assertEquals(await colony.stop(), 0);
  for (const name of Object.keys(config)) check(name);
  const some = ["disabled", "invalid", "removed", "running", "stopped", "stopping", "waiting"];
  assertEquals([...seen].filter((state) => state !== "killing").sort(), some);
});
