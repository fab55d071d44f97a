/** notify runs a command for the events that it is asked to tell, and for no others. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { existsSync } from "@std/fs/exists";
import { join } from "@std/path";
import { PERMISSIONS } from "../../tools/permissions.ts";
import { until } from "../helpers.ts";
import { commandOf, NotifyGround, telling } from "./notifying.ts";
import { Program } from "./program.ts";
import { PATIENT, SCHEDULER_PERMISSIONS, script } from "./scheduling.ts";
import { StatusColony } from "./status_files.ts";
import { denoEnv, ROOT, runTool, sh, toolCommand } from "./tools.ts";

Deno.test("notify tells of a real colony: what exits unasked, crashes again and again, has an invalid config, is unhealthy", async () => {
  using ground = new NotifyGround();
  await using colony = new StatusColony({ args: ["-m", "0.2", "-M", "0.2"], config: { web: { args: ["cat"] } } });
  await colony.inState("web", "running");
  const on = "exited,crash-loop,problem,unhealthy";
  const tool = toolCommand("notify/mod.ts", PERMISSIONS.notify);
  const words = ["--status", colony.status, "--state", ground.state, "--on", on, ...commandOf(telling(ground.dir))];
  await using notified = new Program([...tool, ...words]);
  await notified.until("it has begun", () => ground.remembered() !== null);
  // Nobody is told of what somebody asked for.
  colony.send({ type: "RESTART", name: "web" });
  const { pid } = await colony.told("web", "restarted", ({ state, incarnation }) => {
    return state === "running" && incarnation === 2;
  });
  Deno.kill(pid!, "SIGKILL");
  await until("the exit is told", () => ground.told().length > 0);
  const [{ events: [exit], ...document }] = ground.told();
  assertEquals([document.version, document.colony, document.count], [1, colony.status, 1]);
  assertEquals([exit!.name, exit!.event, exit!.signal, exit!.asked], ["web", "exited", "SIGKILL", false]);
  assertEquals(exit!.id, colony.recorded("web").find(({ signal }) => signal === "SIGKILL")!.id);
  assertMatch(document.summary, /^web was ended by SIGKILL after [\d.]+ s, which the monitor did not send$/);

  colony.put("bad", "{");
  colony.put("crash", { args: sh("exit 3") });
  colony.put("missing", { args: ["/no/such"] });
  await until("the loops are told", () => {
    return ["crash", "missing"].every((name) => ground.toldWords().includes(`${name} crash-loop`));
  });
  await until("the problem is told", () => ground.toldWords().includes("bad problem"));
  const crash = ground.toldEvents().filter(({ name }) => name === "crash").map(({ event }) => event);
  assertEquals(crash.slice(0, 4), ["exited", "exited", "exited", "crash-loop"]);
  const loop = ground.toldEvents().find(({ name, event }) => name === "missing" && event === "crash-loop")!;
  assertEquals([loop.deaths, loop.type, loop.id], [3, "failed", null]);

  const job = [...toolCommand("scheduler/mod.ts", [...SCHEDULER_PERMISSIONS, "--allow-read", "--allow-write"])];
  const times = ["--status", colony.status, "--frequency", "1000", ...PATIENT, ...script("exit 7")];
  colony.put("backup", { args: [...job, ...times], env: denoEnv() });
  await until("the job is told", () => ground.toldWords().includes("backup unhealthy"));
  const failed = ground.toldEvents().find(({ event }) => event === "unhealthy")!;
  assertEquals([failed.check, failed.reason], ["scheduler", "exit code 7"]);
  const kinds = new Set(ground.toldEvents().map(({ event }) => event));
  assertEquals([...kinds].sort(), ["crash-loop", "exited", "problem", "unhealthy"]);
});

Deno.test("the command gets the newest event in its environment, all as lines and as JSON, and the environment of notify", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  const at = ground.dir.file("env");
  const show = `cat >/dev/null; env -0 >${at}.new; mv ${at}.new ${at}.$NCOLONY_EVENT`;
  const words = ground.words("exited,disabled,monitor-stopped", ...commandOf(show));
  await using notified = new Program(words, { env: { MINE: "7", NCOLONY_NAME: "mail", NCOLONY_CONFIG: "{}" } });
  await notified.until("it has begun", () => existsSync(ground.dir.file("notify", "mail")));
  const shown = async (event: string) => {
    await notified.until("it is told", () => existsSync(`${at}.${event}`));
    const variables = Deno.readTextFileSync(`${at}.${event}`).split("\0").map((text) => text.split(/=(.*)/s));
    return Object.fromEntries(variables.filter(([name]) => /^NCOLONY_|^MINE$/.test(name!)));
  };
  const exit = { type: "code", code: 3, signal: null, reason: null, lived: 2.1, asked: false };
  ground.record(["db", "disabled"], ["web", "exited", exit]);
  const { NCOLONY_TEXT, ...env } = await shown("exited");
  assertEquals(env, {
    MINE: "7",
    NCOLONY_CONFIG: "{}",
    NCOLONY_COUNT: "2",
    NCOLONY_EVENT: "exited",
    NCOLONY_NAME: "web",
    NCOLONY_SUMMARY: "web exited with 3 after 2.1 s; and 1 more",
  });
  const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`;
  assertMatch(NCOLONY_TEXT, RegExp(`^${time}  db was disabled\\.\n${time}  web exited with 3 after 2\\.1 s\\.$`));
  ground.record([null, "monitor-stopped", { pid: 7 }]);
  const about = await shown("monitor-stopped");
  assertEquals([about.NCOLONY_EVENT, about.NCOLONY_NAME], ["monitor-stopped", ""]);
});

Deno.test("--on names the kinds of events, --name the processes, and the monitor is always one", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  await using _one = await ground.notify("started,killed", "--on", "monitor-stopped,removed", "--name", "web");
  const all = ["started", "waiting", "stop-requested", "killed", "problem-gone", "disabled", "removed"] as const;
  ground.record(...["db", "web"].flatMap((name) => all.map((event) => [name, event] as const)));
  const asked = { type: "code", code: 0, lived: 9, asked: true };
  ground.record(["web", "exited", asked], [null, "monitor-started", { pid: 1 }], [null, "monitor-stopped", { pid: 1 }]);
  await until("all is told", () => ground.toldWords().includes("monitor monitor-stopped"));
  assertEquals(ground.toldWords(), ["web started", "web killed", "web removed", "monitor monitor-stopped"]);
});

Deno.test("a crash loop is told at the third death in a row, and again only after a long run, which is told as well", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  await using _notified = await ground.notify("crash-loop,crash-loop-over,killed");
  const fence = async () => {
    const id = ground.record(["fence", "killed"]);
    await until("it is told", () => ground.toldEvents().some((event) => event.id === id));
    return ground.toldWords().filter((word) => word !== "fence killed");
  };
  // Two deaths, and a request, are no loop.
  ground.die("web", 2);
  ground.record(["web", "exited", { type: "code", code: 0, lived: 0.1, asked: true }]);
  ground.die("web", 2);
  ground.die("db", 2);
  ground.die("db", 1, 1);
  ground.die("db", 2);
  assertEquals(await fence(), []);
  ground.die("web");
  assertEquals(await fence(), ["web crash-loop"]);
  ground.die("web", 5);
  assertEquals(await fence(), ["web crash-loop"]);
  // A request ends the row, but not the loop.
  ground.record(["web", "exited", { type: "code", code: 0, lived: 0.1, asked: true }]);
  ground.die("web", 5);
  assertEquals(await fence(), ["web crash-loop"]);
  const loop = ground.toldEvents().find(({ event }) => event === "crash-loop")!;
  assertEquals([loop.deaths, loop.code], [3, 3]);
  // It runs longer than the threshold, and then dies.
  ground.die("web", 1, 1.5);
  ground.die("web", 2);
  assertEquals(await fence(), ["web crash-loop", "web crash-loop-over"]);
  ground.die("web", 1);
  assertEquals((await fence()).slice(2), ["web crash-loop"]);
  // It runs, and nothing more is recorded.
  ground.record(["web", "started", { pid: 1 }]);
  await until("it is told", () => ground.toldWords().at(-1) === "web crash-loop-over");
  ground.die("web", 2, 99);
  assertEquals((await fence()).slice(4), []);
  // What is removed has no loop that could be over.
  ground.die("web", 3);
  ground.record(["web", "removed"]);
  ground.die("web", 2, 99);
  assertEquals((await fence()).slice(4), ["web crash-loop"]);
});

Deno.test("the threshold of the monitor decides what is a death", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  Deno.writeTextFileSync(join(ground.status, ".monitor"), JSON.stringify({ threshold: 20 }));
  await using _notified = await ground.notify("crash-loop,crash-loop-over,killed");
  ground.die("db", 9, 21);
  ground.die("web", 3, 19);
  await until("it is told", () => ground.told().length > 0);
  assertEquals(ground.told()[0]!.summary, "web is in a crash loop (exit code 3, 3rd death in a row)");
  // It has not run for so long yet.
  ground.record(["web", "started", { pid: 1 }]);
  await new Promise((resolve) => setTimeout(resolve, 600));
  ground.record(["fence", "killed"]);
  await until("it is told", () => ground.told().length > 1);
  assertEquals(ground.toldWords(), ["web crash-loop", "fence killed"]);
});

Deno.test("notify tells when the monitor is killed, and again only when another one was", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  ground.record([null, "monitor-started", { pid: 1 }]);
  await using _notified = await ground.notify("monitor-gone,monitor-started,monitor-stopped");
  const next = async (words: readonly string[]) => {
    await until(`${words} is told`, () => ground.toldWords().length >= words.length);
    assertEquals(ground.toldWords(), words);
  };
  ground.seemAlive(false);
  const gone = ["monitor monitor-gone"];
  await next(gone);
  assertMatch(ground.told()[0]!.summary, /^The monitor is gone, and did not shut down cleanly: /);
  ground.seemAlive(true);
  ground.record([null, "monitor-started", { pid: 2 }]);
  await next([...gone, "monitor monitor-started"]);
  // It stops in order.
  ground.record([null, "monitor-stopped", { pid: 2 }]);
  ground.seemAlive(false);
  await next([...gone, "monitor monitor-started", "monitor monitor-stopped"]);
  ground.seemAlive(true);
  // One that is killed and replaced so quickly that nobody sees it.
  ground.record([null, "monitor-started", { pid: 3 }]);
  await next([...gone, "monitor monitor-started", "monitor monitor-stopped", "monitor monitor-started"]);
  ground.record([null, "monitor-started", { pid: 4 }]);
  await until("it is told", () => ground.toldWords().length >= 6);
  assertEquals(ground.toldWords().slice(4), ["monitor monitor-gone", "monitor monitor-started"]);
});

Deno.test("what checkers find is told when it changes, and healthy only after unhealthy", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  ground.report("httpcheck", "web", true);
  await using _notified = await ground.notify("unhealthy,healthy");
  ground.report("httpcheck", "new", true);
  ground.report("httpcheck", "web", false, "status 503");
  await until("it is told", () => ground.told().length > 0);
  assertEquals(ground.told()[0]!.summary, "web is unhealthy (httpcheck: status 503)");
  ground.report("beatcheck", "web", false, "no heartbeat for 4 s");
  await until("it is told", () => ground.told().length > 1);
  ground.report("httpcheck", "web", true, "status 200");
  await until("it is told", () => ground.told().length > 2);
  assertEquals(ground.toldWords(), ["web unhealthy", "web unhealthy", "web healthy"]);
  assertEquals(ground.toldEvents().map(({ check }) => check), ["httpcheck", "beatcheck", "httpcheck"]);
});

Deno.test("an invalid command line is one line that names the option and the nearest kind, and exits with 2", async () => {
  using ground = new NotifyGround();
  const run = ["--arg", "true"];
  const cases: readonly (readonly [argv: readonly string[], says: string])[] = [
    [["--on", "exited", ...run], "--status is missing, or --colony"],
    [["--status", ground.status, "--on", "exited", ...run], "--state is missing, or --colony"],
    [["--colony", ground.dir.path, ...run], "--on is missing: it names what to report"],
    [["--colony", ground.dir.path, "--on", "exited"], "--arg is missing: it names the command"],
    [
      ["--colony", ground.dir.path, "--on", "exited,unhelthy", ...run],
      '--on "unhelthy" is unknown: did you mean "unhealthy"?',
    ],
    [["--colony", ground.dir.path, "--on", "exited,", ...run], '--on "" is unknown'],
    [["--colony", ground.dir.path, "--on", "x", ...run], '--on "x" is unknown'],
    [
      ["--colony", ground.dir.path, "--on", "exited", "--name", "a/b", ...run],
      '--name "a/b" is invalid: a name must not contain "/"',
    ],
    [
      ["--colony", ground.dir.path, "--on", "exited", "--timeout", "0", ...run],
      "--timeout must be a number of seconds from 0.001",
    ],
    [
      ["--colony", ground.dir.path, "--on", "exited", "--not-more-often", "-1", ...run],
      "--not-more-often must be a number",
    ],
    [["--colony", ground.dir.path, "--on", "exited", "--state=", ...run], "--state needs a value: FILE"],
    [["--colony", ground.dir.path, "--on", "exited", "--grace", "x", ...run], "--grace must be a number"],
    [["--colony", ground.dir.path, "--on", "exited", "stray", ...run], 'unexpected argument "stray"'],
  ];
  const results = await Promise.all(cases.map(([argv]) => runTool("notify/mod.ts", argv, PERMISSIONS.notify)));
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, /^ncolony-notify: [^\n]* \(try ncolony-notify --help\)\n$/);
    assertStringIncludes(stderr, cases[index]![1]);
  }
});

Deno.test("the umbrella runs notify, with NCOLONY_COLONY", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  const words = ["notify", "--on", "killed", ...commandOf(telling(ground.dir))];
  const umbrella = [Deno.execPath(), "run", "--frozen", "--no-prompt", "--allow-all", join(ROOT, "mod.ts"), ...words];
  await using notified = new Program(umbrella, { env: { NCOLONY_COLONY: ground.dir.path } });
  await notified.until("it has begun", () => ground.remembered() !== null);
  ground.record(["web", "killed"]);
  await until("it is told", () => ground.told().length > 0);
  assertEquals(ground.told()[0]!.colony, ground.dir.path);
  assert(notified.count(/WARN|ERROR/) === 0);
});
