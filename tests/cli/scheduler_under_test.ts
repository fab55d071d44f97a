import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { until } from "../helpers.ts";
import { runProcess } from "@ncolony/scheduler";
import { Colony } from "./harness.ts";
import { command, PATIENT, Scheduled, SCHEDULER_PERMISSIONS, script } from "./scheduling.ts";
import { denoEnv, gone, ROOT, run, runTool, sh, toolCommand } from "./tools.ts";

const ONCE = ["--once", "--timeout", "10", "--grace", "1", ...command("echo", "hi")];

/** Returns when a file was touched, or 0. */
function touchedAt(path: string): number {
  try {
    return Deno.statSync(path).mtime?.getTime() ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Waits until a file has been touched some more times. */
async function beats(path: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const before = touchedAt(path);
    await until(`${path} is touched`, () => touchedAt(path) > before);
  }
}

Deno.test("the scheduler's heart beats between runs and during a run, and not while the scheduler is stopped", async () => {
  await using scheduled = new Scheduled(
    () => [...PATIENT, "--frequency", "2", ...script('echo "pid $$"; sleep 1')],
    {
      env: (dir) => {
        const status = dir.file("status");
        const config = { args: ["x"], "ncolony.beatcheck": { period: 0.3, grace: 1, status } };
        return { NCOLONY_NAME: "web", NCOLONY_CONFIG: JSON.stringify(config) };
      },
      permissions: [...SCHEDULER_PERMISSIONS, "--allow-read", "--allow-write"],
    },
  );
  const status = scheduled.dir.file("status");
  await scheduled.waitFor(/ pid \d+$/);
  await beats(status, 3);
  await scheduled.waitFor(/ run 1: exit code 0/);
  await beats(status, 3);
  scheduled.process.kill("SIGSTOP");
  await until("it stands still", () => Date.now() - touchedAt(status) > 1000);
  scheduled.process.kill("SIGCONT");
  await beats(status, 2);
  assertEquals([await scheduled.stop(), scheduled.count(/ ERROR /)], [0, 0]);
});

Deno.test("the scheduler works with only the permissions to run programs and to read its config", async () => {
  const { code, stdout, stderr } = await runTool("scheduler/mod.ts", ONCE, SCHEDULER_PERMISSIONS);
  assertEquals([code, stdout], [0, "[echo] hi\n"]);
  assertMatch(stderr, /^[^\n]* runs echo once\n[^\n]* INFO run 1: exit code 0 after \d\.\d\d s\n$/);
});

Deno.test("the scheduler names a missing permission, and goes on without a heart", async () => {
  const [noRun, noEnv] = await Promise.all(["--allow-run", "--allow-env"].map((name) => {
    return runTool("scheduler/mod.ts", ONCE, SCHEDULER_PERMISSIONS.filter((flag) => !flag.startsWith(name)));
  }));
  assertEquals([noRun!.code, noRun!.stdout], [1, ""]);
  assertMatch(noRun!.stderr, /^ncolony-scheduler: needs --allow-run [^\n]*\n$/);
  assertEquals([noEnv!.code, noEnv!.stdout], [0, "[echo] hi\n"]);
  assertMatch(noEnv!.stderr, /ERROR no heartbeat: needs --allow-env=NCOLONY_CONFIG,NCOLONY_NAME\n/);
});

Deno.test("the scheduler logs once that it may not touch its heartbeat file, and runs", async () => {
  await using scheduled = new Scheduled(() => [...PATIENT, "--frequency", "0.1", ...script("true")], {
    env: (dir) => {
      const config = { args: ["x"], "ncolony.beatcheck": { period: 0.1, grace: 1, status: dir.file("status") } };
      return { NCOLONY_NAME: "web", NCOLONY_CONFIG: JSON.stringify(config) };
    },
  });
  await scheduled.waitFor(/ run 5: exit code 0/);
  assertEquals(scheduled.count(/ERROR cannot touch heartbeat file ".*status": needs --allow-read$/), 1);
});

/** Runs a process, and returns its exit and its output. */
async function runKept(
  script: string,
  timeout = 100,
  grace = 100,
): Promise<{ exit: unknown; text: string }> {
  const chunks: Uint8Array[] = [];
  const keep = (bytes: Uint8Array) => void chunks.push(bytes.slice());
  const ended = Promise.withResolvers<void>();
  const output = { stdout: keep, stderr: keep, end: ended.resolve };
  const exit = await runProcess(["sh", "-c", script], timeout, grace, { output });
  await ended.promise;
  const decoder = new TextDecoder();
  return { exit, text: chunks.map((chunk) => decoder.decode(chunk)).join("") };
}

Deno.test("runProcess() resolves with the exit code or the signal", async () => {
  assertEquals(await runKept("echo hello; cat"), { exit: { type: "code", code: 0 }, text: "hello\n" });
  assertEquals((await runKept("exit 9")).exit, { type: "code", code: 9 });
  assertEquals((await runKept("kill -HUP $$")).exit, { type: "signal", signal: "SIGHUP" });
});

Deno.test("runProcess() ends a process that takes too long, and what it leaves behind", async () => {
  assertEquals((await runKept("exec sleep 1000", 0.1)).exit, { type: "signal", signal: "SIGTERM" });
  const stubborn = await runKept(`trap '' TERM; sleep 1000 & echo $!; exec sleep 1000`, 0.3, 0.2);
  assertEquals(stubborn.exit, { type: "signal", signal: "SIGKILL" });
  const leaves = await runKept("sleep 1000 & echo $!");
  assertEquals(leaves.exit, { type: "code", code: 0 });
  await gone(Number(stubborn.text), Number(leaves.text));
});

Deno.test("runProcess() rejects if the command does not exist", async () => {
  const { message } = await assertRejects(() => runProcess(["/no/such/command"], 1, 1), Error);
  assertMatch(message, /^Cannot start "\/no\/such\/command": .* no such file or directory$/);
});

Deno.test("runProcess() has written all output when it resolves", async () => {
  const code = `import { runProcess } from "@ncolony/scheduler";
    await runProcess(["sh", "-c", "seq 1 2000; echo end"], 100, 1);
    Deno.exit(0);`;
  const { stdout } = await run([Deno.execPath(), "eval", "--config", `${ROOT}/deno.json`, code]);
  const lines = stdout.trimEnd().split("\n");
  assertEquals([lines.length, lines.at(-1)], [2001, "[sh] end"]);
});

Deno.test("a scheduler under the monitor runs its command, and ends it when its config is removed", async () => {
  const text = 'echo "pid $$"; exec sleep 0.1';
  const argv = ["--frequency", "0.3", ...PATIENT];
  const config = (...words: string[]) => ({
    args: [...toolCommand("scheduler/mod.ts", SCHEDULER_PERMISSIONS), ...words],
    env: denoEnv(),
  });
  await using colony = new Colony({
    config: {
      short: config(...argv, ...command(...sh(text))),
      long: config(...argv, ...command(...sh('echo "pid $$"; exec sleep 1000'))),
    },
  });
  await colony.waitFor(/^\[short\] .* run 4: exit code 0 after /);
  await colony.waitFor(/^\[long\] .* because the previous run has not ended/);
  const [, pid] = await colony.waitFor(/^\[long\] \[sh\] pid (\d+)$/);
  const schedulers = [await colony.started("short"), await colony.started("long")];
  colony.remove("short");
  colony.remove("long");
  await colony.waitFor(/ short: stopping -> gone/);
  await colony.waitFor(/ long: stopping -> gone/);
  await gone(Number(pid), ...schedulers);
  const shorts = colony.lines.flatMap((line) => /^\[short\] \[sh\] pid (\d+)$/.exec(line)?.[1] ?? []);
  assert(shorts.length >= 4);
  await gone(...shorts.map(Number));
  assertEquals(colony.pidsOf("short").length + colony.pidsOf("long").length, 2, "neither was ever restarted");
});

for (const stop of ["restarted", "removed"] as const) {
  Deno.test(`a run never outlives a scheduler that is ${stop}, however long its grace is`, async () => {
    const stubborn = "trap '' TERM; echo \"pid $$\"; exec sleep 1000";
    const config = {
      args: [
        ...toolCommand("scheduler/mod.ts", SCHEDULER_PERMISSIONS),
        "--frequency",
        "1000",
        ...PATIENT,
        ...command(...sh(stubborn)),
      ],
      env: denoEnv(),
      "ncolony.monitor": { kill_time: 2 },
    };
    await using colony = new Colony({ config: { job: config } });
    await colony.waitFor(
      /WARN --grace 1000 is longer than the monitor allows with a kill_time of 2 s: .* 1 s/,
    );
    const run = /^\[job\] \[sh\] pid (\d+)$/;
    const first = Number((await colony.waitFor(run))[1]);
    if (stop === "restarted") {
      colony.send({ type: "RESTART", name: "job" });
      await colony.waitFor(run, 2);
    } else {
      colony.remove("job");
      await colony.waitFor(/job: \w+ -> gone/);
    }
    assertEquals(colony.count(/job: stopping -> killing/), 0, "the scheduler ends in time");
    assertEquals(await groupIsThere(first), false);
  });
}

/** Returns whether a process of a group is alive, as /proc says. */
async function groupIsThere(group: number): Promise<boolean> {
  const { stdout } = await run(
    sh(`for stat in /proc/[0-9]*/stat; do read -r line <"$stat" && echo "$line"; done 2>/dev/null`),
  );
  return stdout.split("\n").map((line) => line.slice(line.lastIndexOf(")") + 2).split(" "))
    .some(([state, , pgrp]) => Number(pgrp) === group && state !== "Z" && state !== "X");
}
