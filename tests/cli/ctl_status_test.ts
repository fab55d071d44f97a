/** `ctl status` and `ctl why` tell the truth about a real colony. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { tempDir, until } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { Program } from "./program.ts";
import { StatusColony } from "./status_files.ts";
import { hasCommand, type Result, run, sh, signalIfThere, toolCommand } from "./tools.ts";

const READ_ONLY = ["--allow-read"];

/** Returns the words of a ctl that may only read, with the directories of a colony. */
function ctlOf(colony: StatusColony, ...args: readonly string[]): string[] {
  return [...toolCommand("ctl/mod.ts", READ_ONLY), ...colony.places, "--status", colony.status, ...args];
}

async function ctl(colony: StatusColony, ...args: readonly string[]): Promise<Result> {
  return await run(ctlOf(colony, ...args));
}

/** Returns the line of a process in the table, with single spaces. */
function lineOf(stdout: string, name: string): string | undefined {
  return stdout.split("\n").find((line) => line.startsWith(`${name} `))?.replaceAll(/ +/g, " ");
}

const SLEEP = { args: ["sleep", "1000"] };
const CRASH = { args: sh("echo oops >&2; exit 3") };

Deno.test("ctl status tells of a crash loop, a missing command, a bad config and a disabled process, what is wrong first", async () => {
  const off = { args: ["cat"], "ncolony.monitor": { enabled: false } };
  const config = { web: SLEEP, zcrash: CRASH, missing: { args: ["/no/such"] }, bad: '{"args":\n', off };
  // ctl is started while they wait.
  await using colony = new StatusColony({ args: ["-m", "3"], config });
  await colony.inState("web", "running");
  await colony.told("zcrash", "waiting again", ({ state, starts }) => state === "waiting" && starts >= 2);
  const { code, stdout, stderr } = await ctl(colony, "status");
  assertEquals([code, stderr], [3, ""]);
  const names = stdout.split("\n").map((line) => line.split(" ")[0]);
  assertEquals(names.slice(0, 6), ["NAME", "bad", "missing", "zcrash", "off", "web"]);
  assertMatch(lineOf(stdout, "NAME")!, /^NAME STATE PID UP STARTS LAST-EXIT HEALTH PROBLEM$/);
  assertMatch(lineOf(stdout, "web")!, /^web ● running \d+ \d+ s 1 - - -$/);
  assertMatch(
    lineOf(stdout, "zcrash")!,
    /^zcrash ◌ waiting - - \d 3 - waits \d s \(exit code 3, \dnd death in a row\)$/,
  );
  assertMatch(lineOf(stdout, "missing")!, /^missing ◌ waiting - - \d no start - waits .*no such file or directory/);
  assertMatch(
    lineOf(stdout, "bad")!,
    /^bad ✗ invalid - - 0 - - invalid JSON at line 2, column 1: a \} is missing at the end$/,
  );
  assertMatch(lineOf(stdout, "off")!, /^off ○ disabled - - 0 - - -$/);
  assertMatch(
    stdout,
    /^1 of 4 run; bad has an invalid config: invalid JSON .*; missing waits .*; zcrash waits .*; 1 is disabled$/m,
  );
  assertEquals((await ctl(colony, "status", "web", "off")).code, 0);
});

Deno.test("ctl status exits with 0 while a process stops or restarts because somebody asked for it", async () => {
  const slow = { args: sh("trap 'sleep 1000; exit' TERM; echo ready; while :; do sleep 0.05; done") };
  await using colony = new StatusColony({ config: { web: slow } });
  await colony.waitFor(/^\[web\] ready$/);
  colony.send({ type: "RESTART", name: "web" });
  await colony.inState("web", "stopping");
  // Both at once, before SIGKILL.
  const [{ code, stdout }, why] = await Promise.all([ctl(colony, "status"), ctl(colony, "why", "web")]);
  assertEquals(code, 0, stdout);
  assertMatch(lineOf(stdout, "web")!, /^web ◐ stopping \d+ - 1 - - SIGKILL in [1-4] s$/);
  assertMatch(stdout, /^0 of 1 run; web is stopping \(SIGKILL in [1-4] s\)$/m);
  assertMatch(why.stdout, /^web has been stopping for \d s, and will be sent SIGKILL in /m);
});

Deno.test("ctl status and why exit with 4 for a process that does not exist, and name the nearest one", async () => {
  await using colony = new StatusColony({ config: { web: SLEEP, database: SLEEP } });
  await colony.inState("web", "running");
  for (const words of [["status"], ["why"], ["status", "--name"], ["why", "--name"]]) {
    const { code, stdout, stderr } = await ctl(colony, ...words, "wbe");
    assertEquals([code, stdout, stderr], [4, "", 'ncolony-ctl: There is no "wbe": did you mean "web"?\n']);
  }
  const { code, stderr } = await ctl(colony, "status", "--group", "nobody");
  assertEquals([code, stderr], [4, 'ncolony-ctl: There is no process in the group "nobody"\n']);
});

Deno.test("ctl status shows only the processes of a group", async () => {
  await using colony = new StatusColony({ config: { web: { ...SLEEP, group: ["front"] }, db: SLEEP } });
  await colony.inState("web", "running");
  await colony.inState("db", "running");
  const { code, stdout } = await ctl(colony, "status", "--group", "front");
  assertEquals([code, lineOf(stdout, "db")], [0, undefined]);
  assertMatch(lineOf(stdout, "web")!, /running/);
});

Deno.test("ctl status never says that a process runs, or waits, whose monitor was killed", async () => {
  await using colony = new StatusColony({
    args: ["-m", "30", "--threshold", "60"],
    config: { web: SLEEP, crash: CRASH },
  });
  const { pid } = await colony.inState("web", "running");
  await colony.inState("crash", "waiting");
  colony.process.kill("SIGKILL");
  await colony.process.status;
  try {
    const { code, stdout } = await ctl(colony, "status");
    assertEquals(code, 4);
    assertMatch(lineOf(stdout, "web")!, /^web \? unknown - - 1 - - -$/);
    assertMatch(lineOf(stdout, "crash")!, /^crash \? unknown - - 1 3 - -$/);
    const sentence = "The monitor is not running, and did not shut down cleanly: its processes may still be running.";
    assertMatch(stdout, RegExp(`^${sentence} It was last seen \\d+ s ago\\.$`, "m"));
    const json = await ctl(colony, "status", "--json");
    assertEquals([json.code, JSON.parse(json.stdout).monitor.alive], [4, false]);
    const why = await ctl(colony, "why", "web");
    assertEquals(why.code, 4);
    assertStringIncludes(
      why.stdout,
      "No monitor is running, so the state of web is unknown. The next monitor stops what is left and starts it.",
    );
    assertStringIncludes(why.stdout, `\nConfig file: ${join(colony.config, "web")}\n`);
    const same = ["--config", colony.config, "--messages", colony.messages, "--pid", colony.pids];
    await using next = new Colony({ args: [...same, "--status", colony.status] });
    await next.started("web");
    await until("web is told to be running", () => colony.read("web")?.incarnation === 2);
    assertMatch(
      (await ctl(colony, "why", "web")).stdout,
      / web was asked to stop, because an earlier monitor had left /,
    );
  } finally {
    signalIfThere(pid!, "SIGKILL");
  }
});

Deno.test("ctl status says when the monitor stopped in order, and exits with 4 where there is no status", async () => {
  await using colony = new StatusColony({ config: { web: SLEEP } });
  await colony.inState("web", "running");
  assertEquals(await colony.stop(), 0);
  const { code, stdout } = await ctl(colony, "status");
  assertEquals(code, 4);
  assertMatch(lineOf(stdout, "web")!, /^web ○ stopped - - 1 SIGTERM - -$/);
  assertMatch(stdout, /^The monitor is not running: it stopped \d+ s ago\.$/m);
  using dir = tempDir();
  const none = await run([...toolCommand("ctl/mod.ts", READ_ONLY), "--status", dir.file("none"), "status"]);
  assertEquals([none.code, none.stderr], [
    4,
    `ncolony-ctl: there is no status in "${dir.file("none")}": is a monitor running with --colony or --status?\n`,
  ]);
});

Deno.test("ctl status --json prints the files of the status directory as one document, sorted by name", async () => {
  await using colony = new StatusColony({
    args: ["--frequency", "0.3"],
    permissions: ["-A"],
    config: { web: SLEEP, a: SLEEP, old: SLEEP },
  });
  await colony.inState("web", "running");
  await colony.inState("old", "running");
  colony.remove("old");
  await colony.inState("old", "removed");
  await until(
    "its usage is known",
    () => Object.hasOwn(colony.read(".usage") ?? {}, "web") || !/cgroup \(/.test(colony.lines.join()),
  );
  const { code, stdout, stderr } = await ctl(colony, "status", "--json");
  assertEquals([code, stderr], [0, ""]);
  const { version, monitor, processes } = JSON.parse(stdout);
  assertEquals([version, monitor.alive, monitor.pid], [1, true, colony.process.pid]);
  assertEquals(processes.map(({ name }: { name: string }) => name), ["a", "web"]);
  const { health, usage, fault, ...web } = processes[1];
  assertEquals([web, health, fault], [colony.read("web"), {}, null]);
  assert(usage === null || usage.processes === 1);
  const wide = JSON.parse((await ctl(colony, "status", "--json", "--wide")).stdout);
  assertEquals(wide.processes.map(({ name }: { name: string }) => name), ["a", "old", "web"]);
});

Deno.test("ctl why tells who asked for what, what changed, how it ended, and what it last wrote", async () => {
  await using colony = new StatusColony({ args: ["-m", "30"], config: { web: SLEEP } });
  await colony.inState("web", "running");
  colony.send({ type: "RESTART", name: "web", from: "httpcheck", reason: "3 bad answers in a row: 503" });
  await colony.told("web", "restarted", ({ state, starts }) => state === "running" && starts === 2);
  await new Promise((resolve) => setTimeout(resolve, 150));
  colony.put("web", { ...CRASH, env: { TOKEN: "hunter2" } });
  await colony.told("web", "waiting", ({ state, starts }) => state === "waiting" && starts === 3);
  const { code, stdout } = await ctl(colony, "why", "web");
  assertEquals(code, 3);
  const lines = stdout.split("\n").map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}/, ""));
  for (
    const pattern of [
      /^web was started as pid \d+ \(start 1\), because the monitor started\.$/,
      /^web was asked to restart by httpcheck \(3 bad answers in a row: 503\)\.$/,
      /^web was ended by SIGTERM after [\d.]+ s\.$/,
      /^web was started as pid \d+ \(start 2\), as httpcheck had asked \(3 bad answers in a row: 503\)\.$/,
      /^web was asked to stop, because its config changed: args, env\.$/,
      /^web was started as pid \d+ \(start 3\), because its config changed: args, env\.$/,
      /^web exited with 3 after [\d.]+ s\.$/,
      /^web waits [\d.]+ s, until \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\.$/,
      /^web will start at \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\.$/,
      /^The last lines that it wrote to stderr before it died:$/,
      /^ {2}oops$/,
    ]
  ) assert(lines.some((line) => pattern.test(line)), `${pattern} in\n${lines.join("\n")}`);
  assert(!stdout.includes("hunter2"));
  const json = JSON.parse((await ctl(colony, "why", "web", "--json")).stdout);
  assertEquals([json.name, json.alive, json.stderr, json.status.state], ["web", true, ["oops"], "waiting"]);
  assertEquals(json.history.at(-1).event, "waiting");
});

Deno.test("what a process wrote to stderr cannot control the terminal of ctl why", async () => {
  await using colony = new StatusColony({
    config: { web: { args: ["sh", "-c", "printf '\\033[2Jgone\\n' >&2; exit 3"] } },
  });
  await colony.inState("web", "waiting");
  const { stdout } = await ctl(colony, "why", "web");
  assertStringIncludes(stdout, "  \\u001b[2Jgone\n");
  assert(!stdout.includes("\x1b"));
});

/** Names, and how many columns of a terminal they take. The accent is a character of its own. */
const WIDTHS: Readonly<Record<string, number>> = { web: 3, "日本語": 6, "🚀up": 4, "cafe\u0301": 4, "ﾃｽﾄ": 3 };

Deno.test("ctl status aligns names of wide, narrow and combining characters", async () => {
  await using colony = new StatusColony({ config: Object.fromEntries(Object.keys(WIDTHS).map((it) => [it, SLEEP])) });
  await Promise.all(Object.keys(WIDTHS).map((name) => colony.inState(name, "running")));
  const { stdout } = await ctl(colony, "status");
  for (const [name, width] of Object.entries(WIDTHS)) {
    assertStringIncludes(stdout, `\n${name}${" ".repeat(6 - width + 2)}● running  `);
  }
});

const hasScript = hasCommand("script");

/** Returns the words that run others on a terminal. */
function onTerminal(words: readonly string[], before = "unset NO_COLOR;", columns = 72): string[] {
  const command = words.map((word) => `'${word}'`).join(" ");
  return ["script", "-qec", `stty cols ${columns} rows 20; ${before} ${command}`, "/dev/null"];
}

/** Returns the lines that a terminal shows, from the head of the table. Deno may have said that it loads modules. */
function tableIn(shown: string): string[] {
  // deno-lint-ignore no-control-regex -- the pattern finds escape sequences
  const plain = shown.replaceAll(/\x1b\[[\d;]*[A-Za-z]/g, "").replaceAll("\r", "");
  return plain.slice(plain.indexOf("NAME")).split("\n");
}

Deno.test({
  name: `on a terminal, ctl status cuts a line of wide characters at the last column that it fills${
    hasScript ? "" : " (skipped: needs script)"
  }`,
  ignore: !hasScript,
  fn: async () => {
    // After an even and an odd number of columns.
    const config = { "日本語": { args: [`/${"無".repeat(50)}`] }, even: { args: [`/x${"無".repeat(50)}`] } };
    await using colony = new StatusColony({ config });
    for (const name of Object.keys(config)) await colony.inState(name, "waiting");
    const { stdout } = await run(onTerminal(ctlOf(colony, "status"), "", 100));
    const lines = tableIn(stdout).filter((line) => line.includes("waiting")).map((line) => line.trimEnd());
    const widths = lines.map((line) => [...line].reduce((sum, it) => sum + (/[無日本語]/.test(it) ? 2 : 1), 0));
    assertEquals(lines.map((line) => line.slice(-3)), ["無無…", "無無…"], lines.join("\n"));
    assert(widths.every((width) => width === 99 || width === 100), `${widths} ${lines.join("\n")}`);
  },
});

Deno.test({
  name: `on a terminal, ctl status fits its width, has colors, and --watch draws it again when something changes${
    hasScript ? "" : " (skipped: needs script)"
  }`,
  ignore: !hasScript,
  fn: async () => {
    const config = { web: SLEEP, missing: { args: ["/no/such/command/at/all/of/this/name"] } };
    await using colony = new StatusColony({ config });
    await colony.inState("missing", "waiting");
    const once = await run(onTerminal(ctlOf(colony, "status")));
    assertEquals(once.code, 3);
    // deno-lint-ignore no-control-regex -- that is what it is about
    const hasColor = (text: string) => /\x1b\[\d+m/.test(text);
    assert(hasColor(once.stdout));
    const table = tableIn(once.stdout).slice(0, 3);
    assert(table.every((line) => [...line].length <= 72), table.join("\n"));
    assertMatch(table[1]!, /^missing .*…$/);
    for (const columns of [40, 60]) {
      const narrow = tableIn((await run(onTerminal(ctlOf(colony, "status"), "NO_COLOR=1", columns))).stdout).slice(
        0,
        3,
      );
      assert(narrow.every((line) => [...line].length <= columns), narrow.join("\n"));
      assertMatch(narrow[1]!, /^missing +◌ waiting .*waits \d+ s .*…$/);
    }
    const colorless = await run(onTerminal(ctlOf(colony, "status"), "NO_COLOR=1"));
    assert(!hasColor(colorless.stdout));
    await using watching = new Program(onTerminal(ctlOf(colony, "status", "--watch")), { stdin: "piped" });
    await watching.waitFor(/web .* running/);
    colony.put("more", SLEEP);
    await watching.waitFor(/more .* running/);
  },
});

Deno.test("ctl status --watch prints what changed where there is no terminal", async () => {
  await using colony = new StatusColony({ config: { web: SLEEP } });
  await colony.inState("web", "running");
  await using watching = new Program(ctlOf(colony, "status", "--watch"));
  await watching.waitFor(/^web .* running/);
  // What time alone changes is not printed again.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assertEquals(watching.stdout.filter((line) => line.startsWith("web")).length, 1);
  colony.remove("web");
  await watching.waitFor(/^0 of 0 run$/);
});

Deno.test("ctl status and why name the permission that is missing, and options that they do not have", async () => {
  using dir = tempDir();
  for (const command of [["status"], ["why", "web"]]) {
    const { code, stderr } = await run([...toolCommand("ctl/mod.ts", []), "--status", dir.path, ...command]);
    assertEquals(code, 1);
    assertMatch(stderr, /^ncolony-ctl: .*--allow-read/);
  }
  for (
    const [args, reason] of [
      [["why"], "why needs a NAME"],
      [["why", "a", "b"], 'unexpected argument "b"'],
      [["status", "--cmd", "x"], "--cmd can only be used with add"],
      [["restart-all", "--wide"], "--wide can only be used with status"],
      [["restart-all", "--json"], "--json can only be used with check, plan, status, why, events"],
    ] as const
  ) {
    const { code, stderr } = await run([...toolCommand("ctl/mod.ts", READ_ONLY), "--status", dir.path, ...args]);
    assertEquals([code, stderr], [2, `ncolony-ctl: ${reason} (try ncolony-ctl --help)\n`]);
  }
  const { code, stderr } = await run([...toolCommand("ctl/mod.ts", READ_ONLY), "status"]);
  assertEquals([code, stderr], [2, "ncolony-ctl: --status is missing, or --colony (try ncolony-ctl --help)\n"]);
});

Deno.test("ctl status and why do not trust what a monitor that is stuck wrote long ago", async () => {
  await using colony = new StatusColony({ args: ["--frequency", "0.2"], config: { web: SLEEP } });
  await colony.inState("web", "running");
  await colony.until("a full scan has ended", () => colony.read(".usage"));
  colony.process.kill("SIGSTOP");
  try {
    assertEquals((await ctl(colony, "status")).code, 0);
    const path = join(colony.status, ".monitor");
    const told = { ...colony.read(".monitor"), last_scan: new Date(Date.now() - 75_000).toISOString() };
    Deno.writeTextFileSync(path, JSON.stringify(told));
    const old = new RegExp(
      `^The monitor \\(pid ${colony.process.pid}\\) has not written its status for 1m \\d+s: `,
      "m",
    );
    for (const words of [["status"], ["why", "web"]]) {
      const { code, stdout } = await ctl(colony, ...words);
      assertEquals(code, 3);
      assertMatch(stdout, old);
    }
  } finally {
    colony.process.kill("SIGCONT");
  }
});

Deno.test("ctl proposes only names and commands that are close to what was typed", async () => {
  await using colony = new StatusColony({ config: { web: SLEEP, "my app": SLEEP } });
  await colony.inState("web", "running");
  const said = async (...words: string[]) => (await ctl(colony, ...words)).stderr.split(" (try ")[0]!.trim();
  assertEquals(await said("status", "wbe"), 'ncolony-ctl: There is no "wbe": did you mean "web"?');
  assertEquals(await said("status", "nosuch"), 'ncolony-ctl: There is no "nosuch"');
  assertEquals(await said("statsu"), 'ncolony-ctl: unknown command "statsu": did you mean status?');
  const helpOf = async (...words: string[]) => (await ctl(colony, ...words)).stdout;
  assertEquals(await helpOf("help", "why"), await helpOf("why", "--help"));
  assertEquals(await helpOf("help"), await helpOf("--help"));
  assertEquals(await said("zzz"), 'ncolony-ctl: unknown command "zzz"');
});

Deno.test("ctl status and why say that the monitor is stopping", async () => {
  const slow = {
    args: sh("trap '' TERM; echo ready; while :; do sleep 0.05; done"),
    "ncolony.monitor": { kill_time: 5 },
  };
  await using colony = new StatusColony({ config: { web: SLEEP, slow } });
  await colony.waitFor(/^\[slow\] ready$/);
  colony.process.kill("SIGTERM");
  await colony.inState("web", "stopped");
  const stopping = new RegExp(
    `^The monitor \\(pid ${colony.process.pid}\\) has been shutting down for \\d s and stops all processes\\.$`,
    "m",
  );
  const [status, why] = [await ctl(colony, "status"), await ctl(colony, "why", "web")];
  for (const { stdout } of [status, why]) assertMatch(stdout, stopping);
  assertMatch(why.stdout, /^web is not running: the monitor is stopping\.$/m);
});
