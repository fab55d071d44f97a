import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { isAlive, type TempDir, tempDir, until } from "../helpers.ts";
import { ALL, endAll, HAS_CGROUPS, running, uniqueSleep, untilRunning } from "./escapes.ts";
import {
  gone,
  hasCommand,
  IS_ROOT,
  MONITOR_PERMISSIONS,
  ROOT,
  run,
  sh,
  signalIfThere,
  sleeper,
  toolCommand,
} from "./tools.ts";

/** One of several monitors in a row that use the same config, messages and pid directories. */
class Monitor implements AsyncDisposable {
  readonly process: Deno.ChildProcess;
  readonly #log: string;

  constructor(
    dir: TempDir,
    log: string,
    permissions: readonly string[],
    pids = ["--pid", dir.file("pids")],
    wrap: readonly string[] = [],
  ) {
    this.#log = dir.file(log);
    const places = ["config", "messages"].flatMap((name) => [`--${name}`, dir.dir(name)]);
    const [command, ...args] = [...wrap, ...toolCommand("monitor/mod.ts", permissions)];
    const options = [...places, ...pids, "--log-file", this.#log, "-k", "0.5", "--frequency", "1"];
    this.process = new Deno.Command(command, { args: [...args, ...options], cwd: ROOT, stdin: "null" }).spawn();
  }

  /** What it has logged so far. */
  get text(): string {
    try {
      return Deno.readTextFileSync(this.#log);
    } catch {
      // The log does not exist yet.
      return "";
    }
  }

  /** Returns the pid of the last child that it started for a process, as soon as there is one. */
  started(name: string): Promise<number> {
    const pattern = new RegExp(`INFO ${name}: \\w+ -> running \\(.*\\), pid (\\d+)\n`);
    return until(`${name} runs`, () => Number(pattern.exec(this.text)?.[1]) || null);
  }

  /** Kills it with SIGKILL. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    signalIfThere(this.process.pid, "SIGTERM");
    await this.process.status;
    for (const [, pid] of this.text.matchAll(/, pid (\d+)\n/g)) signalIfThere(-Number(pid), "SIGKILL");
  }
}

/** A config `web`, and a stranger whose pid is in the pid file of `web`. */
class Stranded implements AsyncDisposable {
  readonly stranger: Deno.ChildProcess = new Deno.Command("sleep", { args: ["1000"], stdin: "null" }).spawn();

  constructor(dir: TempDir) {
    for (const name of ["config", "pids"]) dir.dir(name);
    dir.write("config/web", sleeper(dir));
    dir.write("pids/web", `${this.stranger.pid}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    signalIfThere(this.stranger.pid, "SIGKILL");
    await this.stranger.status;
  }
}

Deno.test("the monitor stops leftover processes before it starts them again, including one that ignores SIGTERM", async () => {
  using dir = tempDir();
  dir.dir("config");
  dir.write("config/mild", sleeper(dir));
  dir.write("config/stubborn", JSON.stringify({ args: sh("trap '' TERM; while :; do sleep 1; done") }));
  dir.write("config/dropped", sleeper(dir));
  await using first = new Monitor(dir, "first.log", ["-A"]);
  const names = ["mild", "stubborn", "dropped"];
  const old = await Promise.all(names.map((name) => first.started(name)));
  await first.kill();
  assertEquals(old.map(isAlive), [true, true, true]);
  Deno.removeSync(dir.file("config", "dropped"));
  await using second = new Monitor(dir, "second.log", ["-A"]);
  const [mild, stubborn] = await Promise.all([second.started("mild"), second.started("stubborn")]);
  assertMatch(second.text, /stubborn: stopping -> killing \(kill time expired\)\n[^]*stubborn: killing -> running/);
  await gone(...old);
  assertEquals([mild, stubborn].map(isAlive), [true, true]);
  assertEquals([...Deno.readDirSync(dir.file("pids"))].map(({ name }) => name).sort(), [
    ".children",
    ".lock",
    "mild",
    "stubborn",
  ]);
});

for (
  const [knownBy, hasPids, isRecordLost] of [
    ["its record", true, false],
    ["its pid file and the config", true, true],
    ["/proc alone", false, false],
  ] as const
) {
  Deno.test(`the monitor stops a leftover process as its config says, known by ${knownBy}`, async () => {
    using dir = tempDir();
    dir.dir("config");
    dir.write("told", "");
    const told = dir.file("told");
    // It takes longer than the monitor's own kill time, and records any other signal.
    const script = `trap 'sleep 1.5; echo done >>"$1"; exit' INT; trap 'echo other >>"$1"' TERM HUP QUIT
      echo up >>"$1"; while :; do sleep 0.1; done`;
    const rules = { stop_signal: "SIGINT", kill_time: 60 };
    dir.write("config/db", JSON.stringify({ args: [...sh(script), "sh", told], "ncolony.monitor": rules }));
    const pids = hasPids ? ["--pid", dir.file("pids")] : [];
    await using first = new Monitor(dir, "first.log", ["-A"], pids);
    await first.started("db");
    await until("it listens", () => Deno.readTextFileSync(told) === "up\n");
    await first.kill();
    if (isRecordLost) Deno.removeSync(dir.file("pids", ".children"));
    await using second = new Monitor(dir, "second.log", ["-A"], pids);
    await second.started("db");
    await until("the next one listens", () => Deno.readTextFileSync(told).endsWith("\nup\n"));
    assertEquals(Deno.readTextFileSync(told), "up\ndone\nup\n");
    assertEquals(second.text.includes("killing"), false);
  });
}

for (
  const [permissions, record] of [
    [["-A"], null],
    [["-A"], { start: "1" }],
    [["-A"], { boot: "another boot" }],
    [MONITOR_PERMISSIONS, null],
  ] as const
) {
  const how = `record: ${JSON.stringify(record)}${permissions === MONITOR_PERMISSIONS ? ", without --allow-all" : ""}`;
  Deno.test(`the monitor leaves alone a stranger with the pid of a pid file (${how})`, async () => {
    using dir = tempDir();
    await using place = new Stranded(dir);
    const { stranger } = place;
    if (record !== null) {
      const whole = { name: "web", config: "", pid: stranger.pid, start: "1", boot: "", ...record };
      dir.write("pids/.children", `${JSON.stringify(whole)}\n`);
    }
    await using monitor = new Monitor(dir, "log", permissions);
    const pid = await monitor.started("web");
    assertEquals([pid, stranger.pid].map(isAlive), [true, true]);
    assertEquals(Deno.readTextFileSync(dir.file("pids", "web")), `${pid}`);
  });
}

for (const [when, isIdentified] of [["at once", false], ["after a full scan", true]] as const) {
  Deno.test(`the monitor stops a leftover process of one without --allow-all, killed ${when}, before it starts the next`, async () => {
    using dir = tempDir();
    dir.dir("config");
    dir.write("config/web", sleeper(dir));
    await using first = new Monitor(dir, "first.log", MONITOR_PERMISSIONS);
    const old = await first.started("web");
    const record = () => Deno.readTextFileSync(dir.file("pids", ".children"));
    if (isIdentified) await until("it is noted when it started", () => /"start":"\d+"/.test(record()));
    await first.kill();
    assertEquals(isAlive(old), true);
    await using second = new Monitor(dir, "second.log", MONITOR_PERMISSIONS);
    const pid = await second.started("web");
    await gone(old);
    assertEquals(isAlive(pid), true);
    assertMatch(second.text, new RegExp(`web: gone -> stopping \\(left running by a previous monitor: pid ${old}\\)`));
  });
}

/** Hides cat(1) from a command, so that nothing can read /proc for it. */
const WITHOUT_CAT = [
  "unshare",
  "--mount",
  "sh",
  "-c",
  'mount --bind /dev/null "$(readlink -f /bin/cat)" && exec "$@"',
  "sh",
];
const CAN_TAKE_CAT = IS_ROOT && hasCommand("unshare") && (await run([...WITHOUT_CAT, "true"])).code === 0;

Deno.test({
  name: "without /proc, a process waits until the pid of its pid file is gone (skipped unless run by root)",
  ignore: !CAN_TAKE_CAT,
  fn: async () => {
    using dir = tempDir();
    await using place = new Stranded(dir);
    const { stranger } = place;
    await using monitor = new Monitor(dir, "log", MONITOR_PERMISSIONS, undefined, WITHOUT_CAT);
    await until(
      "it says so",
      () => monitor.text.includes(`web: waiting up to 60 s for pid ${stranger.pid}, recorded by a previous monitor`),
    );
    // The kill time passes, and nothing is killed.
    await until("that is over", () => monitor.text.includes("web: stopping -> killing"));
    assertEquals(isAlive(stranger.pid), true);
    stranger.kill("SIGKILL");
    await stranger.status;
    assertEquals(isAlive(await monitor.started("web")), true);
  },
});

Deno.test("a pid file with 0, 1, a negative number or no number signals no process", async () => {
  using dir = tempDir();
  dir.dir("config");
  dir.dir("pids");
  const texts = ["0", "1", "-1", "", "web", "99999999999", `${Deno.pid} ${Deno.pid}`];
  texts.forEach((text, i) => dir.write(`pids/p${i}`, text));
  Deno.symlinkSync("/etc/passwd", dir.file("pids", "link"));
  texts.forEach((_, i) => dir.write(`config/p${i}`, sleeper(dir)));
  await using monitor = new Monitor(dir, "log", ["-A"]);
  await Promise.all(texts.map((_, i) => monitor.started(`p${i}`)));
  assertEquals(monitor.text.match(/previous monitor/), null);
});

Deno.test("the monitor finds a leftover process by its name and config if there are no pid files", async () => {
  using dir = tempDir();
  dir.dir("config");
  dir.write("config/web", sleeper(dir));
  await using first = new Monitor(dir, "first.log", ["-A"], []);
  const old = await first.started("web");
  await first.kill();
  await using second = new Monitor(dir, "second.log", ["-A"], []);
  const pid = await second.started("web");
  assertMatch(second.text, new RegExp(`web: gone -> stopping \\(left running by a previous monitor: pid ${old}\\)`));
  assertMatch(second.text, / INFO web: ended: exit status unknown \(started by a previous monitor\)$/m);
  await gone(old);
  assertEquals(isAlive(pid), true);
});

Deno.test("the monitor restores the pid directory at the next scan, and a successor needs no more", async () => {
  using dir = tempDir();
  dir.dir("config");
  dir.write("config/web", sleeper(dir));
  dir.write("config/db", sleeper(dir));
  await using first = new Monitor(dir, "first.log", ["-A"]);
  const old = await Promise.all(["web", "db"].map((name) => first.started(name)));
  const files = () => [...Deno.readDirSync(dir.file("pids"))].map(({ name }) => name).sort().join();
  const whole = ".children,.lock,db,web";
  const harms = [
    () => Deno.removeSync(dir.file("pids"), { recursive: true }),
    () => Deno.removeSync(dir.file("pids", ".children")),
    () => Deno.removeSync(dir.file("pids", ".lock")),
    () => Deno.removeSync(dir.file("pids", "web")),
    () => dir.write("pids/db", "4"),
  ];
  for (const harm of harms) {
    await until("it is whole", () => files() === whole);
    harm();
    await until("it is whole again", () => {
      try {
        return files() === whole && Deno.readTextFileSync(dir.file("pids", "db")) === `${old[1]}`;
      } catch {
        // The directory or file does not exist yet.
        return false;
      }
    });
  }
  await first.kill();
  // Now only the files know the configs that they were started with.
  for (const name of ["web", "db"]) dir.write(`config/${name}`, '{"args": ["sleep", "1001"]}');
  await using second = new Monitor(dir, "second.log", ["-A"]);
  await Promise.all(["web", "db"].map((name) => second.started(name)));
  await gone(...old);
});

Deno.test({
  name: `a monitor finds what another one left by its cgroup, without pid files${
    HAS_CGROUPS ? "" : " (skipped: needs cgroups)"
  }`,
  ignore: !HAS_CGROUPS,
  fn: async () => {
    using dir = tempDir();
    const sleep = uniqueSleep();
    // Neither the environment nor the session tells whose they are.
    const args = sh(`env -i setsid ${sleep} & exec env -i sleep 1000`);
    Deno.writeTextFileSync(join(dir.dir("config"), "web"), JSON.stringify({ args }));
    try {
      await using first = new Monitor(dir, "first", ALL, []);
      await first.started("web");
      await untilRunning(sleep, 1);
      await first.kill();
      Deno.removeSync(dir.file("config", "web"));
      await using second = new Monitor(dir, "second", ALL, []);
      await until("it is gone", () => /INFO web: .* -> gone /.test(second.text));
      assertMatch(second.text, /WARN web: gone -> stopping \(left running by a previous monitor: pids \d+, \d+\)/);
      assertEquals(await running(sleep), []);
      const [, cgroups] = /, kill scope cgroup \((.*)\)/.exec(second.text)!;
      await second[Symbol.asyncDispose]();
      assertEquals((await run(["test", "-e", cgroups!])).code, 1, "nothing is left of the colony's cgroup");
    } finally {
      await endAll(sleep);
    }
  },
});

Deno.test({
  name: `a monitor stops what it knows only by its cgroup as the config says${
    HAS_CGROUPS ? "" : " (skipped: needs cgroups)"
  }`,
  ignore: !HAS_CGROUPS,
  fn: async () => {
    using dir = tempDir();
    const script = `trap 'echo got INT > "$0"; exit' INT; trap '' TERM; echo ready; while :; do sleep 0.05; done`;
    const args = ["env", "-i", "sh", "-c", script, dir.file("said")];
    const config = { args, "ncolony.monitor": { stop_signal: "SIGINT", kill_time: 60 } };
    Deno.writeTextFileSync(join(dir.dir("config"), "web"), JSON.stringify(config));
    await using first = new Monitor(dir, "first", ALL, []);
    await until("it handles signals", () => /^\[web\] ready$/m.test(first.text));
    await first.kill();
    await using second = new Monitor(dir, "second", ALL, []);
    await until("it is started again", () => /INFO web: stopping -> running /.test(second.text));
    assertEquals(Deno.readTextFileSync(dir.file("said")), "got INT\n");
  },
});
