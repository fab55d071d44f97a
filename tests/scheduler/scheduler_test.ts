import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Script } from "../monitor/fake_children.ts";
import { FREQUENCY_MS, World } from "./scheduler_world.ts";

Deno.test("Scheduler runs the command at once and then every frequency, however long a run takes", async () => {
  await using world = new World((run) => ({ livesMs: 700 * (run % 4) }));
  await world.until(95_000);
  assertEquals(world.starts, Array.from({ length: 10 }, (_, k) => k * FREQUENCY_MS));
  assertEquals(world.log.lines.slice(0, 2), [
    "INFO run 1: exit code 0 after 0.00 s",
    "INFO run 2: exit code 0 after 0.70 s",
  ]);
  assertEquals(world.children.overlaps, 0);
});

Deno.test("Scheduler skips what is due while a run goes on, counts it, and keeps the beat", async () => {
  await using world = new World((run) => ({ livesMs: run === 0 ? 25_000 : 10 }), { timeoutMs: 60_000 });
  await world.until(45_000);
  assertEquals([world.starts, world.children.overlaps], [[0, 30_000, 40_000], 0]);
  assertEquals(world.log.lines.slice(0, 3), [
    "WARN 1 run(s) skipped, for the one before still goes on (1 so far)",
    "WARN 1 run(s) skipped, for the one before still goes on (2 so far)",
    "INFO run 1: exit code 0 after 25.00 s",
  ]);
});

Deno.test("Scheduler tells what was due while it had no time, and keeps the beat", async () => {
  await using world = new World({ livesMs: 10 });
  await world.until(5000);
  world.clock.work(40_500);
  await world.until(55_000);
  assertEquals(world.starts, [0, 45_500, 50_000]);
  assertEquals(world.log.count("skipped, for this program had no time (3 so far)"), 1);
});

Deno.test("Scheduler asks a run to end at the timeout, and kills it after the grace", async () => {
  await using world = new World({ endsInMs: Infinity });
  await world.until(2999);
  assertEquals(world.signals, []);
  await world.until(3000);
  assertEquals(world.signals, ["SIGTERM"]);
  await world.until(3499);
  assertEquals(world.signals, ["SIGTERM"]);
  await world.until(3500);
  assertEquals(world.signals, ["SIGTERM", "SIGKILL"]);
  assertEquals(world.log.take(), ["WARN run 1: not done after 3 s: asked to end", "WARN run 1: SIGKILL after 3.50 s"]);
  await world.until(FREQUENCY_MS);
  assertEquals(world.starts, [0, FREQUENCY_MS]);
});

for (const leaves of ["mild", "stubborn"] as const) {
  Deno.test(`Scheduler ends what a run leaves behind, also where that is ${leaves}`, async () => {
    await using world = new World({ livesMs: 100, leaves });
    await world.until(100);
    assertEquals([world.signals, world.children.running()], [["SIGTERM"], leaves === "mild" ? [] : ["run"]]);
    await world.until(600);
    assertEquals(world.signals, leaves === "mild" ? ["SIGTERM"] : ["SIGTERM", "SIGKILL"]);
    assertEquals([world.children.running(), world.log.lines], [[], ["INFO run 1: exit code 0 after 0.10 s"]]);
  });
}

Deno.test("Scheduler says at each run that the command is missing, and rests in between", async () => {
  await using world = new World({ cannotStart: "it is not there" });
  await world.until(25_000);
  assertEquals(world.log.lines, [1, 2, 3].map((run) => `WARN run ${run}: cannot start: it is not there`));
  assert(world.clock.wakeups < 60, `${world.clock.wakeups} times awake`);
});

Deno.test("Scheduler gives up with 1 after so many failures in a row, and no fewer", async () => {
  const codes = [1, 1, 0, 1, 1, 1];
  await using world = new World((run) => ({ livesMs: 10, exit: { type: "code", code: codes[run] ?? 9 } }), {
    maxFailures: 3,
  });
  await world.until(49_000);
  assertEquals(world.exitCode, null);
  await world.until(90_000);
  assertEquals([world.exitCode, world.starts.length, world.flushes], [1, 6, 1]);
  assertEquals(world.log.lines.at(-1), "ERROR given up after 3 failures in a row");
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
    Deno.test(`Scheduler ends after its only run with ${exitCode}, also with maxFailures ${maxFailures}`, async () => {
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

Deno.test("Scheduler that is stopped gives the run its grace, and ends with 0", async () => {
  await using world = new World({ endsInMs: Infinity });
  await world.until(1000);
  world.scheduler.stop();
  await world.until(1499);
  assertEquals([world.signals, world.exitCode], [["SIGTERM"], null]);
  await world.until(1500);
  assertEquals([world.signals, world.exitCode, world.starts], [["SIGTERM", "SIGKILL"], 0, [0]]);
});

Deno.test("Scheduler that is stopped twice kills", async () => {
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
