import { MIN_START_GAP_MS } from "@ncolony/core";
import { assert, assertEquals, assertLessOrEqual, assertMatch } from "@std/assert";
import { sample } from "../core/samples.ts";
import { POLICY, SupervisorWorld } from "./worlds.ts";

Deno.test("Supervisor logs each transition in one line", async () => {
  await using world = new SupervisorWorld();
  const { children, log } = world.host;
  await world.want("web");
  await world.advance(500);
  children.last("web").end({ type: "code", code: 3 });
  await world.advance(1100);
  world.post("web", { type: "restart" });
  await world.advance(100);
  children.script("web", { endsInMs: Infinity });
  await world.want("web", { args: ["false"] });
  world.post("web", { type: "unwanted" });
  await world.advance(5000);
  assertEquals(log.lines, [
    "INFO web: gone -> running (wanted), pid 101",
    "WARN web: running -> stopping (exit code 3 after 0.5 s)",
    "INFO web: stopping -> waiting for 1 s (kill scope is empty)",
    "INFO web: waiting -> running (delay expired), pid 102",
    "INFO web: running -> stopping (restart)",
    "INFO web: ended: SIGTERM after 0.1 s",
    "INFO web: stopping -> running (kill scope is empty), pid 103",
    "INFO web: running -> stopping (config changed)",
    "INFO web: ended: SIGTERM after 0.1 s",
    "INFO web: stopping -> running (kill scope is empty), pid 104",
    "INFO web: running -> stopping (unwanted)",
    "INFO web: stopping -> killing (kill time expired)",
    "INFO web: ended: SIGKILL after 5 s",
    "INFO web: killing -> gone (kill scope is empty)",
  ]);
});

Deno.test("Supervisor stores the state of a process before it performs the effects", async () => {
  await using world = new SupervisorWorld();
  // If it is closed during a start, the process must already be in the table.
  world.host.children.onSpawn = () => world.supervisor.close();
  await world.want("web");
  assertEquals(world.host.children.last("web").signals, ["SIGTERM"]);
  assertEquals(world.exitCode, 0);
});

Deno.test("Supervisor performs the effects before it logs the transition", async () => {
  await using world = new SupervisorWorld();
  await world.want("web");
  world.post("web", { type: "unwanted" });
  await world.settle();
  assertEquals(world.host.journal, [
    "spawn web",
    "write pid web",
    "log web: gone -> running (wanted), pid 101",
    "SIGTERM to web",
    "log web: running -> stopping (unwanted)",
    "remove pid web",
    "log web: ended: SIGTERM after 0 s",
    "log web: stopping -> gone (kill scope is empty)",
  ]);
});

Deno.test("Supervisor processes one event after another, and logs each step before the next event", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  const { children, journal } = world.host;
  await world.advance(POLICY.thresholdMs - MIN_START_GAP_MS);
  journal.length = 0;
  for (const name of ["web", "db"]) children.last(name).end({ type: "code", code: 0 });
  assertEquals(journal, [], "to post is only to queue");
  await world.settle();
  assertEquals(journal, [
    "remove pid web",
    "log web: running -> stopping (exit code 0 after 1 s)",
    "spawn web",
    "write pid web",
    "log web: stopping -> running (kill scope is empty), pid 103",
    "remove pid db",
    "log db: running -> stopping (exit code 0 after 1 s)",
    "spawn db",
    "write pid db",
    "log db: stopping -> running (kill scope is empty), pid 104",
  ]);
});

Deno.test("Supervisor sends the stop signal of the spec, and SIGKILL when its kill time is over", async () => {
  await using world = new SupervisorWorld();
  world.host.children.script("web", { endsInMs: Infinity });
  await world.want("web", { "ncolony.monitor": { stop_signal: "SIGINT", kill_time: 2 } });
  world.post("web", { type: "unwanted" });
  await world.advance(1999);
  assertEquals(world.host.children.last("web").signals, ["SIGINT"]);
  await world.advance(1);
  assertEquals(world.host.children.last("web").signals, ["SIGINT", "SIGKILL"]);
});

Deno.test("Supervisor ignores and logs an impossible event", async () => {
  await using world = new SupervisorWorld();
  world.post("web", { type: "group-exited" });
  await world.settle();
  assertEquals(world.host.log.count("WARN web: unexpected event group-exited, ignored"), 1);
  await world.want("web");
  assertEquals(world.host.children.running(), ["web"]);
});

Deno.test("Supervisor logs the warnings of a child's adapter", async () => {
  await using world = await SupervisorWorld.running("web");
  const child = world.host.children.last("web");
  child.script = { refuses: true };
  child.signal("SIGTERM");
  assertEquals(world.host.log.take(), ["WARN web: cannot send SIGTERM to pid 101: permission denied"]);
});

Deno.test("Supervisor shortens a long name in its log", async () => {
  const name = "x".repeat(200);
  await using world = await SupervisorWorld.running(name);
  const child = world.host.children.last(name);
  child.script = { refuses: true };
  child.signal("SIGTERM");
  world.post(name, { type: "restart" });
  await world.settle();
  const shown = `${"x".repeat(100)}…`;
  assertEquals(world.host.log.take(), [
    `WARN ${shown}: cannot send SIGTERM to pid 101: permission denied`,
    `INFO ${shown}: running -> stopping (restart)`,
  ]);
  world.supervisor.close();
  world.supervisor.close();
  await world.settle();
  assertEquals(world.host.log.count(`ERROR ${shown}: cannot be signaled and is left behind: pid 101`), 1);
});

Deno.test("Supervisor waits at least a second after a failed start", async () => {
  await using world = new SupervisorWorld({ minDelayMs: 0 });
  world.host.children.script("web", (run) => run === 0 ? { cannotStart: "no such command" } : {});
  await world.want("web");
  assertEquals(world.host.log.take(), [
    "WARN web: running -> stopping (cannot start: no such command)",
    "INFO web: stopping -> waiting for 1 s (kill scope is empty)",
  ]);
  assertEquals(world.host.pids.files.size, 0);
  await world.advance(999);
  assertEquals(world.host.children.started.length, 0);
  await world.advance(1);
  assertEquals(world.host.children.running(), ["web"]);
});

Deno.test("Supervisor starts nothing before the group of the previous child is empty", async () => {
  await using world = new SupervisorWorld();
  const { children } = world.host;
  children.script("web", (run) => run === 0 ? { endsInMs: 300, leaves: "stubborn" } : {});
  await world.want("web");
  await world.want("web", { args: ["false"] });
  await world.advance(300);
  assertEquals(children.last("web").exit, { type: "signal", signal: "SIGTERM" });
  await world.advance(4699);
  assertEquals(children.started.length, 1);
  await world.advance(1);
  assertEquals(children.started.map(({ signals }) => signals), [["SIGTERM", "SIGKILL"], []]);
  assertEquals(children.last("web").spec.args, ["false"]);
  assertEquals(children.overlaps, 0);
});

Deno.test("Supervisor asks the processes that outlive a crashed leader to stop", async () => {
  await using world = new SupervisorWorld();
  const { children } = world.host;
  children.script("web", { leaves: "mild" });
  await world.want("web");
  await world.advance(2000);
  const child = children.last("web");
  child.end({ type: "signal", signal: "SIGSEGV" });
  assert(!child.isEmptied);
  await world.settle();
  assertEquals([child.signals, child.isEmptied], [["SIGTERM"], true]);
  assertEquals(children.running(), ["web"]);
});

Deno.test("Supervisor acts at the deadline, and not before", async () => {
  await using world = await SupervisorWorld.running("web");
  const { children, clock } = world.host;
  children.last("web").end({ type: "code", code: 1 });
  await world.settle();
  assertEquals(clock.nextDue, clock.now() + 1000);
  await world.advance(999);
  assertEquals(children.started.length, 1);
  await world.advance(1);
  assertEquals(children.started.length, 2);
});

Deno.test("Supervisor starts nothing too early when timers fire too early", async () => {
  await using world = await SupervisorWorld.running("web");
  const { children, clock } = world.host;
  clock.earlyMs = 0.7;
  const diedAt = clock.now();
  children.last("web").end({ type: "code", code: 1 });
  await world.advance(1500);
  assertEquals(children.last("web").since, diedAt + 1000);
  assertEquals(children.started.length, 2);
});

Deno.test("Supervisor meets the earliest of many deadlines", async () => {
  await using world = new SupervisorWorld();
  const { children, clock } = world.host;
  children.script("late", { endsInMs: Infinity });
  await world.want("late", { "ncolony.monitor": { kill_time: 3 } });
  await world.want("soon");
  const start = clock.now();
  world.post("late", { type: "unwanted" });
  children.last("soon").end({ type: "code", code: 1 });
  await world.advance(2999);
  assertEquals(children.last("soon").since, start + 1000);
  assertEquals(children.last("late").signals, ["SIGTERM"]);
  await world.advance(1);
  assertEquals(children.last("late").signals, ["SIGTERM", "SIGKILL"]);
});

Deno.test("Supervisor sets no timer while everything runs", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  assertEquals(world.host.clock.nextDue, Infinity);
  const { wakeups } = world.host.clock;
  await world.advance(1e9);
  assertEquals(world.host.clock.wakeups, wakeups);
});

Deno.test("Supervisor has at most one timer, however much happens before the next deadline", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  const { children, clock } = world.host;
  children.last("web").end({ type: "code", code: 1 });
  for (let i = 0; i < 100; i++) {
    world.post("db", { type: "restart" });
    await world.advance(1);
  }
  assertEquals(clock.waiting, 1);
});

Deno.test("Supervisor sends one tick to each process that is due, however long the others take", async () => {
  const names = Array.from({ length: 100 }, (_, index) => `p${index}`);
  await using world = await SupervisorWorld.running(...names);
  const { supervisor, host: { children, clock } } = world;
  for (const name of names) children.last(name).end({ type: "code", code: 1 });
  await world.settle();
  children.onSpawn = () => clock.work(1);
  const post = supervisor.post.bind(supervisor);
  let ticks = 0;
  supervisor.post = (posted) => {
    if ("event" in posted && posted.event.type === "tick") ticks++;
    post(posted);
  };
  await world.advance(1200);
  assertEquals([children.started.length, ticks], [200, 100]);
});

Deno.test("Supervisor starts a waiting process at once when a restart is requested", async () => {
  await using world = await SupervisorWorld.running("web");
  const { children } = world.host;
  children.last("web").end({ type: "code", code: 1 });
  await world.advance(10);
  world.post("web", { type: "restart" });
  await world.settle();
  assertEquals(children.started.length, 2);
  await world.advance(5000);
  assertEquals(children.started.length, 2);
});

Deno.test("Supervisor starts and stops 1,000 processes, and lets other tasks run", async () => {
  await using world = new SupervisorWorld();
  const { children, clock, pids } = world.host;
  const names = Array.from({ length: 1000 }, (_, index) => `web${index}`);
  // Counts the starts between two turns of other tasks.
  const turns: number[] = [];
  let spawnsSinceTurn = 0;
  const giveTurn = clock.yield.bind(clock);
  clock.yield = () => {
    turns.push(spawnsSinceTurn);
    spawnsSinceTurn = 0;
    return giveTurn();
  };
  children.onSpawn = () => {
    spawnsSinceTurn++;
    clock.work(1.5);
  };
  for (const name of names) world.post(name, { type: "wanted", spec: sample(name) });
  await world.settle();
  assertEquals(children.running(), names.toSorted());
  assertEquals(pids.files.size, 1000);
  assertLessOrEqual(Math.max(...turns, spawnsSinceTurn), 7);
  world.supervisor.close();
  await world.settle();
  assertEquals([children.running(), pids.files.size, world.exitCode], [[], 0, 0]);
  assertEquals(world.host.log.lines.length, 4000);
});

Deno.test("Supervisor keeps running other processes when one crashes again and again", async () => {
  await using world = await SupervisorWorld.running("good", "bad");
  const { children } = world.host;
  children.script("bad", { livesMs: 10, exit: { type: "signal", signal: "SIGSEGV" } });
  children.last("bad").end({ type: "signal", signal: "SIGSEGV" });
  await world.advance(60_000);
  // Delays of 1, 2, 4, 8, 8, … s.
  assertEquals(children.started.filter(({ spec }) => spec.name === "bad").length, 10);
  assertEquals(children.last("good").since, 5000);
  assertMatch(world.host.log.lines.at(-1)!, /^INFO bad: stopping -> waiting for 8 s \(kill scope is empty\)$/);
});
