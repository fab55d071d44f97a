import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { tempDir } from "../helpers.ts";
import { command, PATIENT, Scheduled, SCHEDULER_PERMISSIONS, script } from "./scheduling.ts";
import { type Result, runTool } from "./tools.ts";

/** Runs the scheduler until it exits by itself. */
function schedule(...argv: readonly string[]): Promise<Result> {
  return runTool("scheduler/mod.ts", argv, SCHEDULER_PERMISSIONS);
}

/** Runs a command once. */
function once(...argv: readonly string[]): Promise<Result> {
  return schedule("--once", "--timeout", "10", "--grace", "1", ...argv);
}

Deno.test("the scheduler runs the command at once and then at every interval, and passes on its lines", async () => {
  await using scheduled = run(["--frequency", "0.3"], (file) => `date +%s%N >> ${file}; echo hello; echo oops >&2`);
  await scheduled.waitFor(/ INFO run 4: exit code 0 after \d\.\d\d s$/);
  assertEquals(await scheduled.stop(), 0);
  const starts = scheduled.marks().map((nanoseconds) => Number(nanoseconds) / 1e6);
  for (const [k, start] of starts.entries()) assertLess(k * 300 - 150, start - starts[0]!, "not sooner than it should");
  assertEquals([...new Set(scheduled.stdout)], ["[sh] hello"]);
  assert(scheduled.stdout.length >= 4 && scheduled.count(/^\[sh\] oops$/) >= 4);
  assertMatch(scheduled.stderr[0]!, /Z INFO ncolony-scheduler [\d.]+ runs sh every 0\.3 s$/);
  const runs = scheduled.stderr.flatMap((line) => / run (\d+): /.exec(line)?.[1] ?? []);
  assertEquals(runs, runs.map((_, k) => `${k + 1}`));
});

Deno.test("the scheduler never runs two commands at once, and counts skipped runs", async () => {
  await using scheduled = run(
    ["--frequency", "0.1"],
    (file) => `echo start >> ${file}; sleep 0.35; echo end >> ${file}`,
  );
  await scheduled.waitFor(/ run 4: exit code 0 after/);
  await scheduled.stop();
  const marks = scheduled.marks();
  for (const [index, mark] of marks.entries()) assertEquals(mark, index % 2 === 0 ? "start" : "end");
  const skipped = scheduled.stderr.flatMap((line) => /(\d+) run\(s\) because .* \((\d+) in total\)$/.exec(line) ?? []);
  assert(skipped.length >= 3 * 3, "each run was in the way of some");
  let total = 0;
  for (let i = 0; i < skipped.length; i += 3) assertEquals(Number(skipped[i + 2]), total += Number(skipped[i + 1]));
});

Deno.test("the scheduler's command has the scheduler's environment, and an empty stdin", async () => {
  await using scheduled = new Scheduled(
    () => [...PATIENT, "--once", ...script('echo "$MARK $NCOLONY_NAME"; cat; echo done')],
    {
      env: () => ({ MARK: "mark", NCOLONY_NAME: "web" }),
    },
  );
  assertEquals(await scheduled.ended(), 0);
  assertEquals(scheduled.stdout, ["[sh] mark web", "[sh] done"]);
});

Deno.test("the scheduler reports a missing command at each run", async () => {
  await using scheduled = new Scheduled(() => [...PATIENT, "--frequency", "0.2", ...command("/no/such/command")]);
  await scheduled.waitFor(/ WARN run 3: cannot start: .*"\/no\/such\/command"/);
  assertEquals(await scheduled.stop(), 0);
  assertEquals([scheduled.stdout, scheduled.count(/ERROR|unexpected/)], [[], 0]);
});

Deno.test("--once makes the scheduler exit with the command's code", async () => {
  const results = await Promise.all([
    once(...script("exit 0")),
    once(...script("exit 7")),
    once(...script("kill -TERM $$")),
    once(...script("kill -KILL $$")),
    once(...command("/no/such/command")),
    once("--timeout", "0.2", ...script("exec sleep 1000")),
  ]);
  assertEquals(results.map(({ code }) => code), [0, 7, 143, 137, 127, 143]);
});

Deno.test("--once writes all output of the command", async () => {
  const { code, stdout } = await once(...script("seq 1 20000"));
  assertEquals([code, stdout], [0, Array.from({ length: 20_000 }, (_, k) => `[sh] ${k + 1}\n`).join("")]);
});

Deno.test("--max-failures makes the scheduler give up with 1", async () => {
  const { code, stderr } = await schedule(
    ...PATIENT,
    ...["--frequency", "0.05", "--max-failures", "3"],
    ...script("exit 5"),
  );
  assertEquals(code, 1);
  assertEquals([...stderr.matchAll(/ WARN run \d: exit code 5 after /g)].length, 3);
  assertMatch(stderr, / ERROR giving up after 3 failures in a row\n$/);
});

Deno.test("--cron runs the command at these times", async () => {
  await using scheduled = new Scheduled(() => [...PATIENT, "--cron", "* * * * * *", ...script("date +%s")]);
  const first = await scheduled.numberIn(/^\[sh\] (\d+)$/);
  assertLess(first, await scheduled.numberIn(/^\[sh\] (\d+)$/, 2));
  assertMatch(scheduled.stderr[0]!, / runs sh at \* \* \* \* \* \* in \S+ \(.*\), next at \S+ \S+ GMT\S*$/);
});

Deno.test("--next prints the next times and exits", async () => {
  const [cron, every] = await Promise.all([
    schedule(...PATIENT, "--cron", "0 3 * * *", "--timezone", "Europe/Berlin", "--next", "4", ...command("false")),
    schedule(...PATIENT, "--frequency", "3600", "--next", "2", ...command("false")),
  ]);
  assertEquals([cron.code, cron.stderr, every.code, every.stderr], [0, "", 0, ""]);
  assertMatch(cron.stdout, /^(\d{4}-\d\d-\d\d 03:00:00 GMT\+0[12]:00\n){4}$/);
  assertMatch(every.stdout, /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d GMT\S*\n){2}$/);
});

Deno.test("--splay delays a run", async () => {
  const splay = ["--frequency", "1e6", "--splay", "9e5"];
  await using scheduled = new Scheduled(() => [...PATIENT, ...splay, ...script("exec sleep 1000")]);
  await scheduled.waitFor(/ runs sh every 1000000 s$/);
  assertEquals([await scheduled.stop(), scheduled.count(/ run 1: /)], [0, 0]);
});

Deno.test("--log-format json writes one object per line", async () => {
  const { code, stdout, stderr } = await once("--log-format", "json", ...script('echo "a \\"b\\""; exit 3'));
  assertEquals(code, 3);
  const parse = (text: string) => text.trimEnd().split("\n").map((line) => JSON.parse(line));
  const [{ time, ...line }] = parse(stdout);
  assertMatch(time, /Z$/);
  assertEquals(line, { level: "INFO", process: "sh", stream: "stdout", message: 'a "b"' });
  assertStringIncludes(parse(stderr).at(-1).message, "run 1: exit code 3 after ");
  assertEquals(parse(stderr).map(({ level }) => level), ["INFO", "WARN"]);
});

Deno.test("the scheduler reports an invalid command line in one line that names the option, and exits with 2", async () => {
  const cases = [
    [["--frequency", "1"], "--arg"],
    [[...PATIENT, ...command("true")], "--frequency or --cron"],
    [[...PATIENT, ...command("true"), "--cron", "99 * * * *"], "minute"],
    [[...PATIENT, ...command("true"), "--frequency", "1", "--splay", "1"], "--splay"],
  ] as const;
  const results = await Promise.all(cases.map(([argv]) => schedule(...argv)));
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^ncolony-scheduler: [^\n]* \(try ncolony-scheduler --help\)\n$/);
    assertStringIncludes(stderr, cases[index]![1]);
  }
});

/** Starts a scheduler of a script that writes marks to a file. */
function run(when: readonly string[], text: (file: string) => string): Scheduled & { marks(): string[] } {
  const scheduled = new Scheduled((dir) => [...PATIENT, ...when, ...script(text(dir.file("marks")))]);
  return Object.assign(scheduled, {
    marks: () => Deno.readTextFileSync(scheduled.dir.file("marks")).trimEnd().split("\n"),
  });
}

Deno.test("--last remembers across a restart which runs were missed, and --catch-up makes up for them once", async () => {
  using dir = tempDir();
  const last = dir.file("last");
  const words = ["--cron", "* * * * * *", "--last", last, ...PATIENT, ...command("true")];
  const permissions = [...SCHEDULER_PERMISSIONS, "--allow-read", "--allow-write"];
  const remembered = () => Date.parse(Deno.readTextFileSync(last).trim());
  const begun = Date.now();
  {
    await using first = new Scheduled(() => words, { permissions });
    await first.waitFor(/ run 2: exit code 0/);
  }
  assert(remembered() >= begun, "it remembers what it ran");
  Deno.writeTextFileSync(last, new Date(Date.now() - 60_500).toISOString());
  {
    await using second = new Scheduled(() => words, { permissions });
    const [, count] = await second.waitFor(
      / WARN skipped (\d+) run\(s\) because the scheduler was not running \(\d+ in total\)$/,
    );
    assert(Number(count) >= 60, count);
  }
  Deno.writeTextFileSync(last, new Date(Date.now() - 60_500).toISOString());
  await using third = new Scheduled(() => [...words, "--catch-up"], { permissions });
  await third.waitFor(/ WARN the run due at \S+ was missed because the scheduler was not running: running it now$/);
  await third.waitFor(/ run 1: exit code 0/);
  await third.waitFor(/ run\(s\) because the previous run was delayed \(--splay, --catch-up\)/);
});
