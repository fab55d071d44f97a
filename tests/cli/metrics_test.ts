/** `ctl metrics` tells Prometheus the truth about a real colony. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { tempDir, until } from "../helpers.ts";
import { assertGood, parsed, type Sample, testWith, valuesIn } from "./prometheus.ts";
import { PATIENT, Scheduled, SCHEDULER_PERMISSIONS, script } from "./scheduling.ts";
import { StatusColony } from "./status_files.ts";
import { Terminal, testOnTerminal } from "./terminal.ts";
import { hasCommand, IS_ROOT, namesIn, type Result, run, sh, toolCommand } from "./tools.ts";

const SLEEP = { args: ["sleep", "1000"] };
const OFF = { args: ["cat"], "ncolony.monitor": { enabled: false } };

/** A name with what the formats escape. */
const ODD = 'o"dd\\n{x="y"}\u202e é';
const ESCAPED = 'o\\"dd\\\\n{x=\\"y\\"}\u202e é';

async function metrics(status: string, ...args: readonly string[]): Promise<Result> {
  return await run([
    ...toolCommand("ctl/mod.ts", ["--allow-read", "--allow-write"]),
    "--status",
    status,
    "metrics",
    ...args,
  ]);
}

/** Returns the values that are told, by the names of metrics and their labels. */
async function told(status: string): Promise<ReadonlyMap<string, number>> {
  const { code, stdout, stderr } = await metrics(status);
  assertEquals([code, stderr], [0, ""]);
  return valuesIn(stdout);
}

/** Returns the state of each process, and whether it is up. */
function statesIn(values: ReadonlyMap<string, number>): Record<string, [state: string, up: number | undefined]> {
  const found = [...values].flatMap(([sample, value]) => {
    const [, name, state] = /^ncolony_process_state\{name="(.*)",state="(\w+)"\}$/.exec(sample) ?? [];
    const up = values.get(`ncolony_process_up{name="${name}"}`);
    return name === undefined || value === 0 ? [] : [[name, [state!, up]] as const];
  });
  return Object.fromEntries(found) as Record<string, [string, number | undefined]>;
}

testWith(
  ["promtool", "python3-prometheus-client"],
  "ctl metrics tells the state, starts and exits of each process, in both formats, as other parsers read them",
  async () => {
    const config = {
      web: SLEEP,
      crash: { args: sh("exit 3") },
      missing: { args: ["/no/such"] },
      killed: { args: sh("kill -9 $$") },
      bad: "{",
      off: OFF,
      gone: OFF,
      [ODD]: SLEEP,
    };
    const before = Date.now() / 1000;
    await using colony = new StatusColony({ args: ["-m", "30", "--frequency", "0.5"], config });
    for (const name of ["web", ODD]) await colony.inState(name, "running");
    for (const name of ["crash", "missing", "killed"]) await colony.inState(name, "waiting");
    await colony.inState("bad", "invalid");
    for (const name of ["off", "gone"]) await colony.inState(name, "disabled");
    colony.remove("gone");
    await colony.inState("gone", "removed");
    colony.send({ type: "RESTART", name: "web" });
    colony.send("nonsense");
    await colony.told("web", "restarted", ({ state, starts }) => state === "running" && starts === 2);
    await colony.until("the messages are counted", () => {
      const { messages_taken: taken, messages_rejected: rejected } = colony.read(".monitor")!;
      return taken === 1 && rejected === 1;
    });

    const { code, stdout, stderr } = await metrics(colony.status);
    assertEquals([code, stderr], [0, ""]);
    const values = valuesIn(stdout);
    assertEquals(statesIn(values), {
      web: ["running", 1],
      crash: ["waiting", 0],
      missing: ["waiting", 0],
      killed: ["waiting", 0],
      bad: ["invalid", 0],
      off: ["disabled", 0],
      [ESCAPED]: ["running", 1],
    });
    assert(!stdout.includes("gone"), "the series of what was removed end");
    const of = (metric: string, name: string, more = "") => values.get(`ncolony_${metric}{name="${name}"${more}}`);
    const exits = (name: string) => {
      const causes = ["asked", "success", "error", "signal", "not_started", "unknown"];
      return causes.map((cause) => of("process_exits_total", name, `,cause="${cause}"`));
    };
    assertEquals(["web", "crash", "off"].map((name) => of("process_starts_total", name)), [2, 1, 0]);
    assertEquals(["web", "crash", "missing", "killed", "off"].map(exits), [
      [1, 0, 0, 0, 0, 0],
      [0, 0, 1, 0, 0, 0],
      [0, 0, 0, 0, 1, 0],
      [0, 0, 0, 1, 0, 0],
      [0, 0, 0, 0, 0, 0],
    ]);
    assertEquals(["crash", "killed", "off"].map((name) => of("process_last_exit_code", name)), [
      3,
      undefined,
      undefined,
    ]);
    assertEquals(["crash", "bad", "off"].map((name) => of("process_problem", name)), [0, 1, 0]);
    const delay = of("process_restart_delay_seconds", "crash")!;
    assert(delay > 29 && delay <= 30, `${delay}`);
    const [start, next] = ["start_time_seconds", "next_start_timestamp_seconds"].map((it) =>
      of(`process_${it}`, "crash")!
    );
    assert(before <= start! && next! >= start! + delay && next! <= Date.now() / 1000 + delay, `${start} ${next}`);
    for (const metric of ["restart_delay_seconds", "next_start_timestamp_seconds"]) {
      assertEquals(of(`process_${metric}`, "web"), undefined, "it does not wait");
    }
    const monitor = ["up", "problem", "scan_interval_seconds", 'info{version="0.1.0",scope="session"}'];
    assertEquals(monitor.map((it) => values.get(`ncolony_monitor_${it}`)), [1, 0, 0.5, 1]);
    const [started, scanned] = ["start_time_seconds", "last_scan_timestamp_seconds"].map((it) =>
      values.get(`ncolony_monitor_${it}`)!
    );
    assert(before <= started! && started! <= scanned! && scanned! <= Date.now() / 1000, `${started} ${scanned}`);
    assertEquals(["taken", "rejected"].map((it) => values.get(`ncolony_messages_total{result="${it}"}`)), [1, 1]);

    await assertGood(stdout);
    const open = await metrics(colony.status, "--openmetrics");
    const [plain, strict] = [await parsed("prometheus", stdout), await parsed("openmetrics", open.stdout)];
    const lasting = (samples: readonly Sample[]) => samples.filter(([name]) => !name.includes("last_scan"));
    assertEquals(lasting(strict), lasting(plain));
    assertEquals(plain.length, values.size);
    const [, { name }] = plain.find(([metric, { name }]) => metric === "ncolony_process_up" && name!.startsWith("o"))!;
    assertEquals(name, ODD);
    assertMatch(open.stdout, /^# TYPE ncolony_process_starts counter\nncolony_process_starts_total\{/m);
    assertEquals(await colony.stop(), 0);
    const end = await told(colony.status);
    assertEquals(end.get("ncolony_monitor_up"), 0);
    const stopped = ["stopped", 0] as [string, number];
    assertEquals(statesIn(end), {
      ...Object.fromEntries(["web", "crash", "missing", "killed", ESCAPED].map((name) => [name, stopped])),
      bad: ["invalid", 0],
      off: ["disabled", 0],
    });
  },
);

Deno.test("ctl metrics leaves out what only a monitor could know, if that was killed", async () => {
  const config = { web: SLEEP, crash: { args: sh("exit 3") }, off: OFF };
  await using colony = new StatusColony({ args: ["-m", "30"], config });
  await colony.inState("web", "running");
  await colony.inState("crash", "waiting");
  await colony.inState("off", "disabled");
  const before = await told(colony.status);
  colony.process.kill("SIGKILL");
  await colony.ended();
  const after = await told(colony.status);
  assertEquals([before.get("ncolony_monitor_up"), after.get("ncolony_monitor_up")], [1, 0]);
  assertEquals(statesIn(after), { off: ["disabled", 0] });
  const left = [...before.keys()].filter((sample) => !after.has(sample)).map((sample) =>
    sample.replace(/,state=.*/, "}")
  );
  assertEquals(
    new Set(left),
    new Set([
      ...["crash", "web"].flatMap((name) => ["up", "state"].map((it) => `ncolony_process_${it}{name="${name}"}`)),
      ...["restart_delay", "next_start_timestamp"].map((it) => `ncolony_process_${it}_seconds{name="crash"}`),
    ]),
  );
  for (const [sample, value] of after) {
    if (sample !== "ncolony_monitor_up") assertEquals([sample, before.get(sample)], [sample, value]);
  }
});

Deno.test("ctl metrics believes the files if it cannot see whether the monitor lives", async () => {
  await using colony = new StatusColony({ config: { web: SLEEP } });
  await colony.inState("web", "running");
  colony.process.kill("SIGKILL");
  await colony.ended();
  Deno.removeSync(join(colony.status, ".lock"));
  Deno.mkdirSync(join(colony.status, ".lock"));
  const values = await told(colony.status);
  assertEquals([values.get("ncolony_monitor_up"), statesIn(values)], [undefined, { web: ["running", 1] }]);
  assert(values.has("ncolony_monitor_start_time_seconds"));
});

Deno.test("ctl metrics tells what a process uses while it runs, and what a checker that lives found", async () => {
  await using colony = new StatusColony({
    args: ["--frequency", "1000"],
    config: { web: SLEEP, old: SLEEP, crash: { args: sh("exit 3") } },
  });
  for (const name of ["web", "old"]) await colony.inState(name, "running");
  await colony.inState("crash", "waiting");
  await colony.until("the scan has ended", () => colony.read(".usage"));
  const use = { memory: 4096, cpu_seconds: 1.25, processes: 1 };
  // Without cgroups, the monitor knows no usage.
  const usage = { web: use, old: { ...use, memory: null }, crash: use };
  Deno.writeTextFileSync(join(colony.status, ".usage"), JSON.stringify(usage));
  const found = { since: new Date().toISOString(), last: null, reason: null, incarnation: 1 };
  const report = (checker: string, name: string, healthy: boolean | null) => {
    Deno.writeTextFileSync(join(colony.status, `.${checker}`, name), JSON.stringify({ ...found, healthy }));
  };
  report("httpcheck", "web", false);
  report("httpcheck", "old", null);
  // beatcheck is gone, for nobody holds its lock.
  report("beatcheck", "web", true);
  using lock = Deno.openSync(join(colony.status, ".httpcheck", ".lock"), { write: true, create: true });
  lock.lockSync(true);
  const shown = async () => {
    const values = await told(colony.status);
    return Object.fromEntries([...values].filter(([sample]) => /_(memory|cpu|health)/.test(sample)));
  };
  assertEquals(await shown(), {
    'ncolony_process_memory_bytes{name="web"}': 4096,
    'ncolony_process_cpu_seconds_total{name="web"}': 1.25,
    'ncolony_process_cpu_seconds_total{name="old"}': 1.25,
    'ncolony_process_health{name="web",check="httpcheck"}': 0,
  });
  assertEquals(await colony.stop(), 0);
  assertEquals(await shown(), {});
});

/** Returns what is told of jobs, without their common prefix. */
function jobsIn(values: ReadonlyMap<string, number>): Record<string, number> {
  const ours = [...values].filter(([sample]) => sample.startsWith("ncolony_job_"));
  return Object.fromEntries(ours.map(([sample, value]) => [sample.slice("ncolony_job_".length), value]));
}

Deno.test("ctl metrics tells what schedulers report about their jobs, also without a monitor", async () => {
  using dir = tempDir();
  const status = dir.dir("status");
  dir.write("word", "0");
  const work = script(`read -r word <${dir.file("word")}; exit "$word"`);
  const permissions = [...SCHEDULER_PERMISSIONS, "--allow-read", "--allow-write"];
  const options = ["--status", status, "--job", 'back"up', "--frequency", "0.2", ...PATIENT, ...work];
  await using scheduled = new Scheduled(() => options, { permissions });
  const report = () => {
    try {
      return JSON.parse(Deno.readTextFileSync(join(status, ".scheduler", 'back"up')));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  };
  await scheduled.until("a success", () => report()?.runs.success > 0);
  dir.write("word", "3");
  await scheduled.until("a failure", () => report()?.failures > 0);
  assertEquals(await scheduled.stop(), 0);
  const { runs, skipped, failures, last_success, last_duration } = report();
  const labels = '{job="back\\"up"}';
  const counts = ["success", "failure", "timeout"].map((result) => [
    `runs_total{job="back\\"up",result="${result}"}`,
    runs[result],
  ]);
  assertEquals(jobsIn(await told(status)), {
    ...Object.fromEntries(counts),
    [`skipped_total${labels}`]: skipped,
    [`running${labels}`]: 0,
    [`failures_in_a_row${labels}`]: failures,
    [`last_success_timestamp_seconds${labels}`]: Date.parse(last_success) / 1000,
    [`last_duration_seconds${labels}`]: last_duration,
  });
  // It was killed during a run.
  dir.write("status/.scheduler/killed", JSON.stringify({ running: true, next: "2026-01-31T00:00:01.500Z" }));
  const killed = Object.entries(jobsIn(await told(status))).filter(([sample]) => sample.includes("killed"));
  assertEquals(killed, [
    ...["success", "failure", "timeout"].map((result) => [`runs_total{job="killed",result="${result}"}`, 0] as const),
    ['skipped_total{job="killed"}', 0],
    ['running{job="killed"}', 1],
    ['failures_in_a_row{job="killed"}', 0],
    ['next_run_timestamp_seconds{job="killed"}', 1769817601.5],
  ]);
});

Deno.test("ctl metrics escapes every text, and a status directory that others filled breaks no line", async () => {
  using dir = tempDir();
  const status = dir.dir("status");
  const long = '"\\'.repeat(126);
  for (const name of [long, "new\nline", "junk"]) {
    const told = { version: 1, name, state: "running", incarnation: 1e300, exits: { asked: -1 }, cause: 3 };
    dir.write(`status/${name}`, JSON.stringify(told));
  }
  dir.write(
    "status/.monitor",
    JSON.stringify({ ncolony: 'a"b\\c\nd', scope: "x\ny z", started: "soon", scan_ms: "1", frequency: null }),
  );
  dir.write("status/.usage", JSON.stringify({ junk: 3, [long]: { memory: "1", cpu_seconds: -1 } }));
  const values = await told(status);
  const escaped = '\\"\\\\'.repeat(126);
  assertEquals([...values.keys()].filter((it) => /info|starts/.test(it)), [
    'ncolony_monitor_info{version="a\\"b\\\\c\\nd",scope="x\\ny"}',
    `ncolony_process_starts_total{name="${escaped}"}`,
    'ncolony_process_starts_total{name="junk"}',
  ]);
  assertEquals([...values].filter(([, value]) => !(value >= 0)), []);
  assertEquals(values.has("ncolony_monitor_start_time_seconds"), false);
});

testWith(["promtool"], "ctl metrics of 1,000 processes are valid, and each metric stands together", async () => {
  using dir = tempDir();
  const status = dir.dir("status");
  for (let nth = 0; nth < 1000; nth++) {
    dir.write(
      `status/web${nth}`,
      JSON.stringify({ version: 1, name: `web${nth}`, state: "disabled", incarnation: nth }),
    );
  }
  const { code, stdout } = await metrics(status);
  assertEquals(code, 0);
  await assertGood(stdout);
  assertEquals(valuesIn(stdout).get('ncolony_process_starts_total{name="web999"}'), 999);
  const names = stdout.split("\n").map((line) => /^(?:# \w+ )?(\w+)/.exec(line)?.[1]).filter((name) =>
    name !== undefined
  );
  const runs = names.filter((name, at) => name !== names[at - 1]);
  assertEquals(runs, [...new Set(names)]);
  assertEquals(stdout.match(/^# (HELP|TYPE)/gm)?.length, 2 * runs.length);
});

Deno.test("ctl metrics --output replaces a file as a whole, readable by all, whatever the umask", async () => {
  using dir = tempDir();
  const status = dir.dir("status");
  for (let nth = 0; nth < 300; nth++) {
    dir.write(`status/web${nth}`, JSON.stringify({ version: 1, name: `web${nth}`, state: "disabled", incarnation: 0 }));
  }
  const victim = dir.write("victim", "untouched");
  const file = join(dir.dir("textfiles"), "ncolony.prom");
  Deno.symlinkSync(victim, file);
  using watch = Deno.watchFs(dir.file("textfiles"));
  const seen = new Set<string>();
  const watching = (async () => {
    for await (const { paths } of watch) for (const path of paths) seen.add(path);
  })();
  const command = [...toolCommand("ctl/mod.ts", ["--allow-read", "--allow-write"]), "--status", status, "metrics"];
  const [{ code, stdout, stderr }, { stdout: text }] = [
    await run([...sh('umask 077; exec "$@"'), "sh", ...command, "--output", file]),
    await run(command),
  ];
  assertEquals([code, stdout, stderr], [0, "", ""]);
  const withoutTime = (text: string) => text.replaceAll(/^.*_seconds .*$/gm, "");
  assertEquals(withoutTime(Deno.readTextFileSync(file)), withoutTime(text));
  const { isFile, mode } = Deno.lstatSync(file);
  assertEquals([isFile, mode! & 0o777, Deno.readTextFileSync(victim)], [true, 0o644, "untouched"]);
  assertEquals(namesIn(dir.file("textfiles")), ["ncolony.prom"]);
  // Who holds the old file open goes on to read all of it.
  using old = Deno.openSync(file);
  const again = await metrics(status, "--output", file, "--openmetrics");
  assertEquals(again.code, 0);
  assertEquals(old.statSync().size, new TextEncoder().encode(text).length);
  assertMatch(Deno.readTextFileSync(file), /\n# EOF\n$/);
  const others = () => [...seen].filter((path) => path !== file);
  await until("both temporary names were seen", () => others().length === 2);
  watch.close();
  await watching;
  assertEquals(others().filter((path) => path.endsWith(".prom")), []);
});

Deno.test("ctl metrics --output says in one line why it cannot write, and leaves nothing behind", async () => {
  using dir = tempDir();
  const [status, target] = [dir.dir("status"), dir.dir("textfiles/dir.prom")];
  const places = [
    [dir.file("no/such.prom"), "no such file"],
    [dir.file("textfiles", "x".repeat(256)), "file name too long"],
    [target, "is a directory"],
  ] as const;
  for (const [path, why] of places) {
    const { code, stdout, stderr } = await metrics(status, "--output", path);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, RegExp(`^ncolony-ctl: Cannot write [^\n]*${why}[^\n]*\n$`));
  }
  assertEquals(namesIn(dir.file("textfiles")), ["dir.prom"]);
  const file = dir.write("old.prom", "old");
  const none = await metrics(dir.file("nothing"), "--output", file);
  assertEquals([none.code, Deno.readTextFileSync(file)], [4, "old"]);
  const odd = await metrics(status, "web");
  assertEquals([odd.code, odd.stdout], [2, ""]);
});

const canMount = IS_ROOT && hasCommand("unshare");

Deno.test({
  name: `ctl metrics --output tells that a file system is read-only${
    canMount ? "" : " (skipped: needs root, unshare)"
  }`,
  ignore: !canMount,
  fn: async () => {
    using dir = tempDir();
    const [status, textfiles] = [dir.dir("status"), dir.dir("textfiles")];
    const mount = sh(`mount -t tmpfs -o ro none '${textfiles}' && exec "$@"`);
    const command = toolCommand("ctl/mod.ts", ["--allow-read", "--allow-write"]);
    const words = ["--status", status, "metrics", "--output", join(textfiles, "ncolony.prom")];
    const { code, stderr } = await run(["unshare", "--mount", ...mount, "sh", ...command, ...words]);
    assertEquals(code, 1);
    assertMatch(stderr, /^ncolony-ctl: Cannot write ".*textfiles": read-only file system[^\n]*\n$/);
  },
});

testOnTerminal(null, "ctl metrics shows names as escapes, which a pipe gets as they are", async () => {
  using dir = tempDir();
  const status = dir.dir("status");
  dir.write(`status/${ODD}`, JSON.stringify({ version: 1, name: ODD, state: "disabled" }));
  const command = [...toolCommand("ctl/mod.ts", ["--allow-read"]), "--status", status, "metrics"];
  await using terminal = new Terminal(command);
  await terminal.waitFor(`ncolony_process_up{name="${ESCAPED.replace("\u202e", "\\u202e")}"} 0`);
  assertEquals((await told(status)).get(`ncolony_process_up{name="${ESCAPED}"}`), 0);
});
