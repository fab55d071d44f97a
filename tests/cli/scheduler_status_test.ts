/** The scheduler reports its job in the status directory, and ctl shows that. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { existsSync } from "@std/fs/exists";
import { join } from "@std/path";
import { makeService } from "@ncolony/scheduler";
import { PERMISSIONS } from "../../tools/permissions.ts";
import { type TempDir, tempDir } from "../helpers.ts";
import { command, PATIENT, Scheduled, SCHEDULER_PERMISSIONS, script } from "./scheduling.ts";
import { StatusColony } from "./status_files.ts";
import { denoEnv, IS_ROOT, type Result, run, runTool, toolCommand } from "./tools.ts";

const REPORTING = [...SCHEDULER_PERMISSIONS, "--allow-read", "--allow-write"];

/** What a test reads of a job. */
interface JobFile {
  readonly [key: string]: unknown;
  readonly healthy: boolean | null;
  readonly running: boolean;
  readonly runs: { readonly success: number; readonly failure: number; readonly timeout: number };
  readonly skipped: number;
  readonly failures: number;
  readonly next: string | null;
}

/** Returns what a scheduler reports. Null if that is nothing. */
function jobIn(status: string, name: string): JobFile | null {
  const path = join(status, ".scheduler", name);
  return existsSync(path) ? JSON.parse(Deno.readTextFileSync(path)) : null;
}

/** Starts a scheduler that reports the job `backup` in a directory. */
function report(status: string, ...argv: readonly string[]): Scheduled {
  const options = () => ["--status", status, "--job", "backup", ...argv];
  return new Scheduled(options, { permissions: REPORTING });
}

/** Waits until a scheduler reports this of the job `backup`. */
async function told(scheduled: Scheduled, status: string, what: (job: JobFile) => boolean): Promise<JobFile> {
  return await scheduled.until(`${what}`, () => {
    const job = jobIn(status, "backup");
    return job !== null && what(job) && job;
  });
}

/** Returns a script that exits with what a file says, or sleeps if that is `sleep`. */
function obeying(dir: TempDir): string[] {
  return script(`read -r word <${dir.file("word")}; [ "$word" != sleep ] || exec sleep 1000; exit "$word"`);
}

Deno.test("the scheduler reports how the runs of its job end, and what is next", async () => {
  using dir = tempDir();
  const status = dir.dir("status");
  dir.write("word", "0");
  const begun = Date.now();
  await using scheduled = report(status, "--frequency", "0.2", "--timeout", "5", "--grace", "1", ...obeying(dir));
  const good = await told(scheduled, status, ({ runs }) => runs.success >= 2);
  const keys = ["version", "job", "healthy", "since", "last", "reason", "incarnation", "started", "running"];
  const counts = ["runs", "skipped", "failures", "last_success", "last_duration", "next"];
  assertEquals(Object.keys(good), [...keys, ...counts]);
  assertEquals([good.version, good.job, good.healthy, good.reason, good.failures], [1, "backup", true, null, 0]);
  assertEquals([good.incarnation, good.runs.failure, good.runs.timeout], [null, 0, 0]);
  for (const key of ["since", "last", "started", "last_success"]) assert(Date.parse(`${good[key]}`) >= begun, key);
  assert(Date.parse(`${good.since}`) < Date.parse(`${good.last}`), "it has been healthy since the first run");
  assert(typeof good.last_duration === "number" && good.last_duration > 0 && good.last_duration < 60);
  assertEquals((Deno.statSync(join(status, ".scheduler", "backup")).mode ?? 0) & 0o777, 0o640);

  dir.write("word", "3");
  const bad = await told(scheduled, status, ({ runs }) => runs.failure >= 2);
  assertEquals([bad.healthy, bad.reason, bad.failures >= 2], [false, "exit code 3", true]);
  assert(Date.parse(`${bad.since}`) > Date.parse(`${bad.last_success}`), "it has failed since the last success");

  dir.write("word", "sleep");
  const busy = await told(scheduled, status, ({ running, skipped }) => running && skipped >= 1);
  assert(busy.next !== null && Date.parse(busy.next) > Date.parse(`${bad.last}`), "the next run is known meanwhile");
  const late = await told(scheduled, status, ({ runs }) => runs.timeout >= 1);
  assertEquals([late.healthy, late.reason, late.since], [false, "timed out", bad.since]);
  assert(late.failures >= 3);

  dir.write("word", "0");
  const again = await told(scheduled, status, ({ healthy }) => healthy === true);
  assertEquals([again.failures, again.reason], [0, null]);
  assertEquals(await scheduled.stop(), 0);
  const last = jobIn(status, "backup")!;
  assertEquals([last.running, last.next], [false, null]);
  const runs = Object.values(last.runs).reduce((a, b) => a + b);
  const ended = scheduled.count(/ run \d+: (exit|SIG)/);
  assert(runs === ended || runs === ended - 1, `${runs} of ${ended} runs are counted, unless the stop ended the last`);
});

Deno.test("the counts of a job go on when its scheduler is restarted or killed, and a run that is stopped is not counted", async () => {
  using dir = tempDir();
  const status = dir.dir("status");
  const words = ["--frequency", "1000", "--timeout", "1000", "--grace", "1", ...obeying(dir)];
  const after = async (word: string, what: (job: JobFile) => boolean, signal: Deno.Signal = "SIGTERM") => {
    dir.write("word", word);
    const before = jobIn(status, "backup")?.started;
    await using scheduled = report(status, ...words);
    const job = await told(scheduled, status, (job) => job.started !== before && what(job));
    await scheduled.stop(signal);
    return job;
  };
  await after("0", ({ runs }) => runs.success === 1);
  const failed = await after("3", ({ runs }) => runs.failure === 1, "SIGKILL");
  assertEquals([failed.runs, failed.failures], [{ success: 1, failure: 1, timeout: 0 }, 1]);
  const running = await after("sleep", ({ running }) => running);
  assertEquals([running.healthy, running.runs, running.reason], [false, failed.runs, "exit code 3"]);
  const stopped = jobIn(status, "backup")!;
  assertEquals([stopped.running, stopped.runs, stopped.last], [false, failed.runs, failed.last]);
  assertEquals((await after("4", ({ runs }) => runs.failure === 2)).failures, 2);
  // Another program may have written anything.
  Deno.writeTextFileSync(join(status, ".scheduler", "backup"), '{"runs": [], "skipped": -1, "failures": "x"}');
  assertEquals((await after("0", ({ runs }) => runs.success === 1)).skipped, 0);
});

Deno.test("--once reports its run", async () => {
  using dir = tempDir();
  const status = dir.dir("status");
  const once = async (...words: readonly string[]) => {
    await using scheduled = report(status, "--once", ...PATIENT, ...words);
    return [await scheduled.ended(), jobIn(status, "backup")!] as const;
  };
  const [code, job] = await once(...script("exit 7"));
  assertEquals([code, job.healthy, job.reason, job.running, job.next], [7, false, "exit code 7", false, null]);
  const [missing, { reason, failures }] = await once(...command("/no/such"));
  assertEquals([missing, failures], [127, 2]);
  assertMatch(`${reason}`, /^cannot start: .*"\/no\/such"/);
});

Deno.test("schedulers of several jobs share the directory, and a link in the place of a file is replaced", async () => {
  using dir = tempDir();
  const status = dir.dir("status");
  const precious = dir.write("precious", "precious");
  Deno.mkdirSync(join(status, ".scheduler"), { mode: 0o750 });
  const file = join(status, ".scheduler", "backup");
  Deno.symlinkSync(precious, file);
  await using one = report(status, "--frequency", "0.1", ...PATIENT, ...command("true"));
  await using two = new Scheduled(
    () => ["--colony", dir.path, "--job", "other", "--frequency", "0.1", ...PATIENT, ...command("false")],
    { permissions: REPORTING },
  );
  await one.until("it is reported", () => Deno.lstatSync(file).isFile);
  await two.until("it is reported", () => (jobIn(status, "other")?.failures ?? 0) >= 2);
  await told(one, status, ({ runs }) => runs.success >= 4);
  assertEquals([one.count(/cannot|ERROR/), two.count(/cannot|ERROR/)], [0, 0]);
  assertEquals(Deno.readTextFileSync(precious), "precious");
});

Deno.test("a job that cannot be reported is logged once, runs all the same, and is reported as soon as possible", async () => {
  using dir = tempDir();
  const status = dir.file("status");
  await using scheduled = report(status, "--frequency", "0.1", ...PATIENT, ...command("true"));
  const said = /WARN cannot report the job in ".*\/status\/\.scheduler\/backup": /;
  await scheduled.waitFor(new RegExp(`${said.source}no such file or directory$`));
  await scheduled.waitFor(/ run 3: exit code 0/);
  assertEquals(scheduled.count(said), 1);
  const shared = join(dir.dir("shared"), ".scheduler");
  Deno.mkdirSync(shared);
  Deno.chmodSync(shared, 0o777);
  Deno.renameSync(dir.file("shared"), status);
  await scheduled.waitFor(
    new RegExp(`${said.source}.*writable by other users \\(mode 0777\\); fix it with chmod or chown$`),
  );
  assertEquals(existsSync(join(status, ".scheduler", "backup")), false);
  Deno.chmodSync(join(status, ".scheduler"), 0o750);
  await scheduled.waitFor(/ INFO the job is reported in ".*\/backup" again$/);
  assert((await told(scheduled, status, ({ runs }) => runs.success >= 3)).healthy);
  Deno.renameSync(status, dir.file("shared"));
  await scheduled.waitFor(new RegExp(`${said.source}no such file or directory$`), 2);
  Deno.mkdirSync(status);
  await told(scheduled, status, ({ runs }) => runs.success >= 3);
  assertEquals(scheduled.count(said), 3);
});

Deno.test("a report that somebody removes is written again, although nothing has changed", async () => {
  using dir = tempDir();
  const status = dir.dir("status");
  await using scheduled = report(status, "--frequency", "1000", ...PATIENT, ...command("true"));
  const job = await told(scheduled, status, ({ runs, running }) => runs.success === 1 && !running);
  Deno.removeSync(join(status, ".scheduler", "backup"));
  assertEquals(await told(scheduled, status, () => true), job);
});

async function ctl(status: string, ...args: readonly string[]): Promise<Result> {
  return await run([...toolCommand("ctl/mod.ts", ["--allow-read", "--allow-sys=uid"]), "--status", status, ...args]);
}

/** Returns the exit code of `ctl status`, and what it shows of a process's health and problem. */
async function shown(status: string, name: string): Promise<[code: number, health: string]> {
  const { code, stdout } = await ctl(status, "status", name);
  const line = stdout.split("\n").find((line) => line.startsWith(`${name} `))!;
  // NAME, a glyph, STATE, PID, UP with its unit, STARTS and LAST-EXIT come before.
  return [code, line.split(/ +/).slice(8).join(" ")];
}

Deno.test("a job under the monitor has the name of its process, whose health ctl status and why tell", async () => {
  await using colony = new StatusColony();
  const { dir, status } = colony;
  dir.write("word", "0");
  const backup = (frequency: string) => {
    const tool = toolCommand("scheduler/mod.ts", REPORTING);
    const words = ["--status", status, "--frequency", frequency, "--timeout", "1000", "--grace", "1", ...obeying(dir)];
    return { args: [...tool, ...words], env: denoEnv(), "ncolony.monitor": { kill_time: 3 } };
  };
  const healthy = async (is: boolean) => {
    await colony.until(`it is ${is}`, () => jobIn(status, "backup")?.healthy === is);
  };
  colony.put("backup", backup("0.2"));
  await healthy(true);
  assertEquals(await shown(status, "backup"), [0, "healthy -"]);
  assertMatch(
    (await ctl(status, "why", "backup")).stdout,
    /^scheduler has found it healthy since [^:]+:\d\d:\d\dZ\.$/m,
  );

  dir.write("word", "3");
  await healthy(false);
  assertEquals(await shown(status, "backup"), [3, "unhealthy is unhealthy (scheduler: exit code 3)"]);
  const why = await ctl(status, "why", "backup");
  assertEquals(why.code, 3);
  assertMatch(why.stdout, /^scheduler has found it unhealthy since \d{4}-\d\d-\d\d [\d:]{8}Z: exit code 3\.$/m);
  const { processes: [json] } = JSON.parse((await ctl(status, "status", "--json")).stdout);
  assertEquals([Object.keys(json.health), json.health.scheduler.healthy], [["scheduler"], false]);

  // The job is as its last run was, whoever restarted the scheduler since.
  dir.write("word", "sleep");
  colony.put("backup", backup("1000"));
  await colony.told("backup", "started again", ({ state, incarnation }) => state === "running" && incarnation === 2);
  await colony.until("a run is under way", () => jobIn(status, "backup")?.running === true);
  assertEquals(await shown(status, "backup"), [3, "unhealthy is unhealthy (scheduler: exit code 3)"]);

  // A process that is no scheduler has nothing to do with the job.
  colony.put("backup", { args: ["cat"] });
  await colony.told("backup", "started again", ({ state, incarnation }) => state === "running" && incarnation === 3);
  assertEquals(await shown(status, "backup"), [0, "- -"]);
});

Deno.test("--status without a name for the job, and a name that is none, are errors of usage", async () => {
  using dir = tempDir();
  const wrong = async (...argv: readonly string[]) => {
    const { code, stderr } = await runTool("scheduler/mod.ts", [
      ...["--once", ...PATIENT, ...command("touch", dir.file("ran"))],
      ...argv,
    ], PERMISSIONS.scheduler);
    assertEquals([code, existsSync(dir.file("ran"))], [2, false], stderr);
    return stderr.replace(" (try ncolony-scheduler --help)\n", "");
  };
  const nameless = "ncolony-scheduler: --status needs --job, because no monitor runs this program";
  assertEquals(await wrong("--status", dir.path), nameless);
  assertEquals(await wrong("--colony", dir.path), nameless);
  assertEquals(await wrong("--job", "backup"), "ncolony-scheduler: --job needs --status");
  assertEquals(
    await wrong("--status", dir.path, "--job", "../x"),
    'ncolony-scheduler: --job "../x" is invalid: a name must not contain "/"',
  );
  assertEquals(await wrong("--status", dir.path, "--job="), "ncolony-scheduler: --job needs a value: NAME");
});

Deno.test("NCOLONY_COLONY counts for a job that has a name, and changes nothing for one that has none", async () => {
  using dir = tempDir();
  const status = dir.dir("status");
  const words = ["--once", ...PATIENT, ...command("true")];
  const colony = `NCOLONY_COLONY=${dir.path}`;
  const tool = toolCommand("scheduler/mod.ts", PERMISSIONS.scheduler);
  const runs = (...env: string[]) => run(["env", ...env, ...tool, ...words]);
  assertEquals([(await runs(colony)).code, existsSync(join(status, ".scheduler"))], [0, false]);
  assertEquals((await runs(colony, "NCOLONY_NAME=../x")).code, 0);
  assertEquals(existsSync(join(status, ".scheduler")), false);
  assertEquals((await runs(colony, "NCOLONY_NAME=backup")).code, 0);
  assertEquals(jobIn(status, "backup")?.runs.success, 1);
});

Deno.test("the scheduler's makeService() reports the job as well, and checks its options", async () => {
  using dir = tempDir();
  const status = dir.dir("status");
  const once = { args: ["true"], timeout: 10, grace: 1, once: true } as const;
  assertThrows(() => makeService({ ...once, status }), TypeError, '"status" needs "job"');
  assertThrows(() => makeService({ ...once, job: "backup" }), TypeError, '"job" needs "status"');
  assertThrows(() => makeService({ ...once, status, job: ".x" }), TypeError, '"job" ".x" is invalid: a name must not');
  assertThrows(() => makeService({ ...once, status: 3 as unknown as string, job: "x" }), TypeError, '"status" must');
  await using service = makeService({ ...once, status, job: "backup" });
  assertEquals(existsSync(join(status, ".scheduler")), false);
  await service.start();
  assertEquals(await service.ended, 0);
  assertEquals(jobIn(status, "backup")?.runs.success, 1);
});

const STATUS_NEEDS = ["read=STATUS", "write=STATUS/.scheduler"] as const;

Deno.test("reporting a job needs the permissions that docs/scheduler.md names, and each of them", async () => {
  using dir = tempDir();
  for (const missing of [null, ...STATUS_NEEDS]) {
    const status = dir.dir(`without ${missing?.replaceAll("/", " ")}`);
    Deno.mkdirSync(join(status, ".scheduler"), { mode: 0o750 });
    const flags = STATUS_NEEDS.filter((flag) => flag !== missing).map((flag) =>
      `--allow-${flag.replace("STATUS", status)}`
    );
    const words = () => ["--once", "--status", status, "--job", "backup", ...PATIENT, ...command("true")];
    await using scheduled = new Scheduled(words, { permissions: [...SCHEDULER_PERMISSIONS, ...flags] });
    assertEquals(await scheduled.ended(), 0);
    assertEquals(jobIn(status, "backup") === null, missing !== null);
    const needs = missing === null ? / --allow-/ : RegExp(` needs --allow-${missing.replace(/=.*/, "")}$`);
    assertEquals(scheduled.count(needs), missing === null ? 0 : 1);
  }
});

Deno.test({
  name: `ctl reads jobs of another user, and whatever that user puts in their place${
    IS_ROOT ? "" : " (skipped: needs root)"
  }`,
  ignore: !IS_ROOT,
  fn: async () => {
    await using colony = new StatusColony({ config: { web: { args: ["cat"] } } });
    await colony.inState("web", "running");
    const [jobs, nobody] = [join(colony.status, ".scheduler"), 65_534];
    Deno.chownSync(jobs, nobody, null);
    const job = {
      healthy: false,
      since: new Date().toISOString(),
      reason: "\x1b[2J\n",
      started: "2999-01-01T00:00:00Z",
    };
    const planted = join(jobs, "web");
    Deno.writeTextFileSync(planted, JSON.stringify(job));
    assertEquals(await shown(colony.status, "web"), [3, "unhealthy is unhealthy (scheduler: \\u001b[2J\\u000a)"]);
    const secret = colony.dir.write("secret", JSON.stringify(job));
    for (const plant of [["ln", "-s", secret, planted], ["mkfifo", planted], ["mkdir", planted]]) {
      Deno.removeSync(planted, { recursive: true });
      assertEquals((await run(plant)).code, 0);
      assertEquals(await shown(colony.status, "web"), [0, "- -"], plant.join(" "));
    }
    for (const text of ["", "[]", "7", '{"runs": {"success": 1e400}}', " ".repeat(300_000) + JSON.stringify(job)]) {
      Deno.removeSync(planted, { recursive: true });
      Deno.writeTextFileSync(planted, text);
      assertEquals((await shown(colony.status, "web"))[0], 0, text.slice(0, 20));
    }
    Deno.removeSync(jobs, { recursive: true });
    Deno.writeTextFileSync(jobs, "");
    assertEquals(await shown(colony.status, "web"), [0, "- -"]);
  },
});
