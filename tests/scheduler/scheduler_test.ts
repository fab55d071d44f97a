import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Script } from "../monitor/fake_children.ts";
import { FREQUENCY_MS, World } from "./scheduler_world.ts";

Deno.test("Scheduler runs the command at once, then once per interval, however long a run takes", async () => {
  await using world = new World((run) => ({ livesMs: 700 * (run % 4) }));
  await world.until(95_000);
  assertEquals(world.starts, Array.from({ length: 10 }, (_, k) => k * FREQUENCY_MS));
  assertEquals(world.log.lines.slice(0, 2), [
    "INFO run 1: exit code 0 after 0.00 s",
    "INFO run 2: exit code 0 after 0.70 s",
  ]);
  assertEquals(world.children.overlaps, 0);
});

Deno.test("Scheduler skips and counts a run that is due during another one, and keeps the schedule", async () => {
  await using world = new World((run) => ({ livesMs: run === 0 ? 25_000 : 10 }), { timeoutMs: 60_000 });
  await world.until(45_000);
  assertEquals([world.starts, world.children.overlaps], [[0, 30_000, 40_000], 0]);
  assertEquals(world.log.lines.slice(0, 3), [
    "WARN skipped 1 run(s) because the previous run has not ended (1 in total)",
    "WARN skipped 1 run(s) because the previous run has not ended (2 in total)",
    "INFO run 1: exit code 0 after 25.00 s",
  ]);
});

Deno.test("Scheduler logs how many runs it skipped because it was late, and keeps the schedule", async () => {
  await using world = new World({ livesMs: 10 });
  await world.until(5000);
  world.clock.work(40_500);
  await world.until(55_000);
  assertEquals(world.starts, [0, 45_500, 50_000]);
  assertEquals(world.log.count("because the scheduler was late (overloaded or suspended) (3 in total)"), 1);
});

Deno.test("Scheduler asks a run to stop at the timeout, and kills it after the grace", async () => {
  await using world = new World({ endsInMs: Infinity });
  await world.until(2999);
  assertEquals(world.signals, []);
  await world.until(3000);
  assertEquals(world.signals, ["SIGTERM"]);
  await world.until(3499);
  assertEquals(world.signals, ["SIGTERM"]);
  await world.until(3500);
  assertEquals(world.signals, ["SIGTERM", "SIGKILL"]);
  assertEquals(world.log.take(), [
    "WARN run 1: timed out after 3 s, sending SIGTERM",
    "WARN run 1: SIGKILL after 3.50 s",
  ]);
  await world.until(FREQUENCY_MS);
  assertEquals(world.starts, [0, FREQUENCY_MS]);
});

for (const leaves of ["mild", "stubborn"] as const) {
  Deno.test(`Scheduler ends a ${leaves} process that a run leaves behind`, async () => {
    await using world = new World({ livesMs: 100, leaves });
    await world.until(100);
    assertEquals([world.signals, world.children.running()], [["SIGTERM"], leaves === "mild" ? [] : ["run"]]);
    await world.until(600);
    assertEquals(world.signals, leaves === "mild" ? ["SIGTERM"] : ["SIGTERM", "SIGKILL"]);
    assertEquals([world.children.running(), world.log.lines], [[], ["INFO run 1: exit code 0 after 0.10 s"]]);
  });
}

Deno.test("Scheduler logs on each run that the command is missing, and sleeps in between", async () => {
  await using world = new World({ cannotStart: "no such file or directory" });
  await world.until(25_000);
  assertEquals(world.log.lines, [1, 2, 3].map((run) => `WARN run ${run}: cannot start: no such file or directory`));
  assert(world.clock.wakeups < 60, `${world.clock.wakeups} times awake`);
});

Deno.test("Scheduler gives up with 1 after maxFailures failures in a row, and not before", async () => {
  const codes = [1, 1, 0, 1, 1, 1];
  await using world = new World((run) => ({ livesMs: 10, exit: { type: "code", code: codes[run] ?? 9 } }), {
    maxFailures: 3,
  });
  await world.until(49_000);
  assertEquals(world.exitCode, null);
  await world.until(90_000);
  assertEquals([world.exitCode, world.starts.length, world.flushes], [1, 6, 1]);
  assertEquals(world.log.lines.at(-1), "ERROR giving up after 3 failures in a row");
});

for (
  const [script, exitCode] of [
    [{ livesMs: 10 }, 0],
    [{ livesMs: 10, exit: { type: "code", code: 42 } }, 42],
    [{ livesMs: 10, exit: { type: "signal", signal: "SIGKILL" } }, 137],
    [{}, 143],
    [{ cannotStart: "no" }, 127],
  ] as const satisfies readonly (readonly [Script, number])[]
) {
  for (const maxFailures of [Infinity, 1]) {
    Deno.test(`Scheduler ends with ${exitCode} after its only run if maxFailures is ${maxFailures}`, async () => {
      await using world = new World(script, { isOnce: true, maxFailures });
      await world.until(60_000);
      assertEquals([world.exitCode, world.flushes], [exitCode, 1]);
    });
  }
}

Deno.test("Scheduler that is stopped while idle ends with 0, and starts nothing more", async () => {
  await using world = new World({ livesMs: 10 });
  await world.until(500);
  world.scheduler.stop();
  await world.until(60_000);
  assertEquals([world.exitCode, world.starts], [0, [0]]);
});

Deno.test("Scheduler that is stopped waits for the grace of the run, and ends with 0", async () => {
  await using world = new World({ endsInMs: Infinity });
  await world.until(1000);
  world.scheduler.stop();
  await world.until(1499);
  assertEquals([world.signals, world.exitCode], [["SIGTERM"], null]);
  await world.until(1500);
  assertEquals([world.signals, world.exitCode, world.starts], [["SIGTERM", "SIGKILL"], 0, [0]]);
});

Deno.test("Scheduler that is stopped twice kills the run", async () => {
  await using world = new World({ endsInMs: Infinity }, { graceMs: 1e6 });
  await world.until(1000);
  for (let i = 0; i < 3; i++) world.scheduler.stop();
  await world.until(1000);
  assertEquals([world.signals, world.exitCode], [["SIGTERM", "SIGKILL"], 0]);
});

Deno.test("Scheduler that is stopped before its first run starts nothing", async () => {
  await using world = new World({});
  world.scheduler.stop();
  await world.until(60_000);
  assertEquals([world.exitCode, world.starts], [0, []]);
  await assertRejects(() => world.scheduler.start(), TypeError, "Cannot start a service twice");
});
