import { assertEquals } from "@std/assert";
import { STUCK_MS } from "@ncolony/core";
import type { Script } from "./fake_children.ts";
import { POLICY, SupervisorWorld } from "./worlds.ts";

/** Creates a world with a process that does not end on SIGKILL, and one that exits when it is asked to. */
async function withStuck(script: Script = { isStuck: true }): Promise<SupervisorWorld> {
  const world = new SupervisorWorld();
  world.host.children.script("web", (run) => run === 0 ? script : {});
  for (const name of ["web", "db"]) await world.want(name);
  world.host.log.take();
  return world;
}

/** Returns the lines about stuck processes. */
function reports(world: SupervisorWorld): string[] {
  return world.host.log.lines.filter((line) => line.includes("SIGKILL:") || line.includes("left behind"));
}

for (const script of [{ isStuck: true }, { leaves: "stuck" }] as const) {
  const which = `whose ${"leaves" in script ? "group" : "leader"} does not end on SIGKILL`;

  Deno.test(`Supervisor logs a process ${which} after 5 s, then every 10 s, and starts nothing instead`, async () => {
    await using world = await withStuck(script);
    const { children, log } = world.host;
    await world.want("web", { args: ["false"] });
    await world.advance(POLICY.killTimeMs + STUCK_MS - 1);
    assertEquals(reports(world), []);
    log.take();
    await world.advance(20_001);
    world.post("web", { type: "restart" });
    await world.settle();
    assertEquals(
      log.take(),
      [5, 15, 25].map((s) => `WARN web: has not exited ${s} s after SIGKILL: pid 101 (uninterruptible sleep)`),
    );
    assertEquals(children.started.length, 2);
    children.last("web").release();
    await world.settle();
    const ends = "leaves" in script ? [] : ["INFO web: ended: SIGKILL after 30 s"];
    assertEquals(log.take(), [...ends, "INFO web: killing -> running (kill scope is empty), pid 103"]);
    assertEquals([children.overlaps, children.last("web").spec.args], [0, ["false"]]);
    await world.advance(60_000);
    assertEquals(log.take(), []);
  });

  Deno.test(`Supervisor that is closed gives up after 5 s on a process ${which}, and ends with 1`, async () => {
    await using world = await withStuck(script);
    world.supervisor.close();
    await world.advance(POLICY.killTimeMs + STUCK_MS - 1);
    assertEquals([reports(world), world.exitCode], [[], null]);
    await world.advance(1);
    assertEquals(reports(world), [
      "ERROR web: has not exited 5 s after SIGKILL and is left behind: pid 101 (uninterruptible sleep)",
    ]);
    assertEquals([world.exitCode, world.host.children.running()], [1, ["web"]]);
    // The next monitor must find it.
    assertEquals([...world.host.pids.configs.keys()], ["web"]);
  });
}

Deno.test("Supervisor that is closed gives up at once on a process that has been stuck for 5 s", async () => {
  await using world = await withStuck();
  world.post("web", { type: "unwanted" });
  await world.advance(POLICY.killTimeMs + STUCK_MS + 9000);
  world.supervisor.close();
  await world.settle();
  assertEquals(world.host.log.count("ERROR web: has not exited 14 s after SIGKILL and is left behind: "), 1);
  assertEquals(world.exitCode, 1);
});

Deno.test("Supervisor that is closed a second time gives up 5 s later on a process that does not end", async () => {
  await using world = await withStuck();
  world.supervisor.close();
  await world.advance(100);
  world.supervisor.close();
  await world.advance(STUCK_MS - 1);
  assertEquals([world.host.children.last("web").signals, world.exitCode], [["SIGTERM", "SIGKILL"], null]);
  await world.advance(1);
  assertEquals(world.exitCode, 1);
});

Deno.test("Supervisor that is closed a second time logs a process that does not end on SIGKILL", async () => {
  await using world = await withStuck();
  const { log } = world.host;
  world.post("web", { type: "kill" });
  await world.advance(2000);
  log.take();
  world.supervisor.close();
  await world.settle();
  assertEquals(log.count("has not exited 2 s after"), 0);
  world.supervisor.close();
  await world.settle();
  assertEquals(log.count("WARN web: has not exited 2 s after SIGKILL: pid 101 (uninterruptible sleep)"), 1);
  assertEquals([world.exitCode, reports(world).length], [null, 1]);
  await world.advance(3000);
  assertEquals([world.exitCode, log.count("ERROR web: has not exited 5 s after SIGKILL and is left behind")], [1, 1]);
});

Deno.test("Supervisor logs for each request to a stopping process when SIGKILL follows", async () => {
  await using world = new SupervisorWorld();
  world.host.children.script("web", { endsInMs: Infinity });
  await world.want("web");
  world.post("web", { type: "restart" });
  await world.advance(1000);
  world.host.log.take();
  world.post("web", { type: "restart" });
  await world.want("web", { "ncolony.monitor": { kill_time: 2 } });
  world.post("web", { type: "unwanted" });
  await world.settle();
  assertEquals(world.host.log.take(), [
    "INFO web: still stopping, SIGKILL in 4 s",
    "INFO web: still stopping, SIGKILL in 1 s",
    "INFO web: still stopping, SIGKILL in 1 s",
  ]);
  await world.advance(1000);
  assertEquals(world.host.log.count("INFO web: stopping -> killing (kill time expired)"), 1);
});

Deno.test("Supervisor that is closed waits for other processes after it gave up on one", async () => {
  await using world = await withStuck();
  const { children, log, pids } = world.host;
  await world.want("slow", { "ncolony.monitor": { kill_time: 20 } });
  children.last("slow").script = { endsInMs: 15_000 };
  children.last("db").script = { isStuck: true };
  world.supervisor.close();
  await world.advance(POLICY.killTimeMs + STUCK_MS - 1);
  children.last("db").release();
  await world.advance(1);
  assertEquals([reports(world).length, world.exitCode, children.running()], [1, null, ["slow", "web"]]);
  children.last("web").release();
  await world.settle();
  assertEquals([log.count("cannot happen"), [...pids.files.keys()]], [0, ["slow"]]);
  await world.advance(5000);
  assertEquals([world.exitCode, reports(world).length, children.running()], [1, 1, []]);
});

Deno.test("Supervisor logs every 10 s that it waits for a child that it may not signal", async () => {
  await using world = await withStuck({ refuses: true });
  world.post("web", { type: "unwanted" });
  await world.advance(POLICY.killTimeMs + STUCK_MS + 10_000);
  const line = "WARN web: cannot be signaled: pid 101 (uninterruptible sleep)";
  assertEquals(world.host.log.lines.filter((other) => other === line).length, 2);
});

Deno.test("Supervisor with a stop time sends SIGKILL a second before its end, then gives up, and ends with 1", async () => {
  await using world = new SupervisorWorld({}, 4000);
  const { children } = world.host;
  children.script("slow", { endsInMs: Infinity });
  children.script("stuck", { isStuck: true, endsInMs: Infinity });
  for (const name of ["slow", "stuck"]) await world.want(name, { "ncolony.monitor": { kill_time: 60 } });
  world.supervisor.close();
  await world.advance(2999);
  assertEquals(children.last("slow").signals, ["SIGTERM"]);
  await world.advance(1);
  assertEquals([children.running(), children.last("slow").signals], [["stuck"], ["SIGTERM", "SIGKILL"]]);
  await world.advance(499);
  assertEquals(world.exitCode, null);
  await world.advance(1);
  assertEquals(world.exitCode, 1);
  assertEquals(world.host.log.count("stuck: has not exited 0.5 s after SIGKILL and is left behind"), 1);
});

Deno.test("Supervisor with a stop time sends SIGKILL in time to a process that was already stopping", async () => {
  await using world = new SupervisorWorld({}, 4000);
  const { children } = world.host;
  children.script("web", { endsInMs: Infinity });
  await world.want("web", { "ncolony.monitor": { kill_time: 60 } });
  world.post("web", { type: "unwanted" });
  await world.advance(1000);
  world.supervisor.close();
  await world.advance(3000);
  assertEquals([children.running(), world.exitCode], [[], 0]);
});
