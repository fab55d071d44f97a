import { assert, assertEquals, assertMatch } from "@std/assert";
import { FREQUENCY_MS, World } from "./scheduler_world.ts";

Deno.test("Scheduler retries a refused signal, and continues when it is delivered", async () => {
  await using world = new World((run) => run === 0 ? { refuses: true, endsInMs: 0 } : { livesMs: 10 });
  await world.until(40_000);
  assertEquals([world.signals, world.starts, world.exitCode], [[], [0], null]);
  assertEquals(world.log.count("cannot send SIGTERM to pid 101: permission denied"), 1);
  world.children.last("run").script = {};
  await world.until(61_000);
  assertEquals(world.starts, [0, 50_000, 60_000]);
});

Deno.test("Scheduler that is stopped gives up on a process that it may not signal, and ends with 1", async () => {
  await using world = new World({ refuses: true });
  await world.until(1000);
  world.scheduler.stop();
  await world.until(1499);
  assertEquals(world.exitCode, null);
  await world.until(1500);
  assertEquals([world.exitCode, world.flushes], [1, 1]);
});

Deno.test("Scheduler with one run gives up on a process that it may not signal, and ends with 1", async () => {
  await using world = new World({ refuses: true }, { isOnce: true });
  await world.until(3500);
  assertEquals(world.exitCode, 1);
});

Deno.test("Scheduler that is stopped gives up 5 s after SIGKILL on a process that does not end, logs it, and ends with 1", async () => {
  await using world = new World({ isStuck: true });
  await world.until(20_000);
  assertEquals([world.starts, world.exitCode], [[0], null]);
  world.scheduler.stop();
  await world.until(20_001);
  assertEquals([world.exitCode, world.flushes], [1, 1]);
  const line = "ERROR run 1: has not exited 5 s after SIGKILL and is left behind: pid 101 (uninterruptible sleep)";
  assertEquals(world.log.count(line), 1);
});

Deno.test("Scheduler logs which processes of a run SIGKILL does not end, after 5 s and then every 10 s", async () => {
  await using world = new World({ isStuck: true });
  const who = "pid 101 (uninterruptible sleep)";
  await world.until(8499);
  assertEquals(world.log.count("after SIGKILL"), 0);
  await world.until(8500);
  assertEquals(world.log.count(`WARN run 1: has not exited 5 s after SIGKILL: ${who}`), 1);
  await world.until(18_500);
  assertEquals(world.log.count(`WARN run 1: has not exited 15 s after SIGKILL: ${who}`), 1);
});

for (const script of [{ isStuck: true }, { livesMs: 10, leaves: "stuck" }] as const) {
  const { isOnce, stopAt } = "leaves" in script ? { isOnce: true, stopAt: 510 } : { isOnce: false, stopAt: 1500 };
  Deno.test(`Scheduler waits at most 5 s for a process that does not end on SIGKILL (once: ${isOnce})`, async () => {
    await using world = new World(script, { isOnce });
    await world.until(1000);
    if (!isOnce) world.scheduler.stop();
    await world.until(stopAt + 4999);
    assertEquals([world.signals, world.exitCode], [["SIGTERM", "SIGKILL"], null]);
    await world.until(stopAt + 5000);
    assertEquals(world.exitCode, 1);
  });
}

Deno.test("Scheduler kills the command, logs the error, and ends with 1 if its loop throws", async () => {
  await using world = new World({ endsInMs: Infinity }, { timeoutMs: 60_000 });
  await world.until(500);
  world.times = {
    ...world.times,
    next: () => {
      throw new Error("no more times");
    },
  };
  await world.until(FREQUENCY_MS);
  assertEquals([world.exitCode, world.signals, world.children.running()], [1, ["SIGKILL"], []]);
  assertMatch(world.log.lines.at(-1)!, /^ERROR internal error, stopping: Error: no more times\\u000a {4}at /);
  assertEquals(world.flushes, 1);
});

Deno.test("Scheduler ends with 1 if a spawn throws", async () => {
  await using world = new World({});
  world.children.error = new Error("a bug");
  await world.until(0);
  assertEquals([world.exitCode, world.log.count("internal error, stopping: Error: a bug")], [1, 1]);
});

Deno.test("Scheduler stops the run in order and ends with 1 after an internal error", async () => {
  await using world = new World({ endsInMs: 200 });
  await world.until(1000);
  world.scheduler.fail(new Error("thrown anywhere"));
  await world.until(1199);
  assertEquals([world.signals, world.exitCode], [["SIGTERM"], null]);
  await world.until(1200);
  assertEquals([world.exitCode, world.starts], [1, [0]]);
  assertEquals(world.log.count("internal error, stopping: Error: thrown anywhere"), 1);
});

Deno.test("Scheduler beats its heart while it waits, during a run, and while it stops one", async () => {
  await using world = new World((run) => run === 0 ? { livesMs: 100 } : { endsInMs: Infinity }, {
    timeoutMs: 20_000,
    graceMs: 20_000,
  });
  await world.until(60_500);
  assertEquals([world.heart.beats, world.exitCode], [61, null]);
});

Deno.test("Scheduler does not beat its heart after it has ended, or while its loop is blocked", async () => {
  await using world = new World({ livesMs: 10 });
  await world.until(500);
  world.clock.work(30_000);
  assertEquals(world.heart.beats, 1);
  world.scheduler.stop();
  await world.until(31_000);
  const { beats } = world.heart;
  await world.until(90_000);
  assertEquals([world.exitCode, world.heart.beats], [0, beats]);
});

Deno.test("Scheduler replaces its plan with a corrected one", async () => {
  await using world = new World({ livesMs: 10 });
  await world.until(500);
  const dueAt = world.clock.now() + 40_000;
  let isSetBack = true;
  world.times = { ...world.times, correct: () => isSetBack ? (isSetBack = false, { dueAt, passed: 0 }) : null };
  await world.until(40_499);
  assertEquals(world.starts, [0]);
  await world.until(40_500);
  assertEquals(world.starts, [0, 40_500]);
});

Deno.test("Scheduler checks the wall clock at least every ten seconds, and does not spin", async () => {
  await using world = new World({ livesMs: 10 });
  let looks = 0;
  world.heart.due = Infinity;
  world.times = { ...world.times, next: () => ({ dueAt: Infinity, passed: 0 }), correct: () => (looks++, null) };
  await world.until(100_000);
  assert(looks >= 10 && looks < 30, `${looks} looks`);
});
