import { assertEquals } from "@std/assert";
import { STUCK_MS } from "@ncolony/core";
import type { Script } from "./fake_children.ts";
import { POLICY, SupervisorWorld } from "./worlds.ts";

/** A world with a process whose child does not end on SIGKILL, and one that ends when it is asked. */
async function withStuck(script: Script = { isStuck: true }): Promise<SupervisorWorld> {
  const world = new SupervisorWorld();
  world.host.children.script("web", (run) => run === 0 ? script : {});
  for (const name of ["web", "db"]) await world.want(name);
  world.host.log.take();
  return world;
}

/** The lines of what is stuck. */
function reports(world: SupervisorWorld): string[] {
  return world.host.log.lines.filter((line) => line.includes("SIGKILL:") || line.includes("left behind"));
}

for (const script of [{ isStuck: true }, { leaves: "stuck" }] as const) {
  const who = `whose ${"leaves" in script ? "group" : "leader"} does not end on SIGKILL`;

  Deno.test(`Supervisor names a process ${who} after 5 s, and every 10 s, and starts nothing in its place`, async () => {
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
      [5, 15, 25].map((s) => `WARN web: does not end ${s} s after SIGKILL: pid 101 (uninterruptible sleep)`),
    );
    assertEquals(children.started.length, 2);
    children.last("web").release();
    await world.settle();
    const ends = "leaves" in script ? [] : ["INFO web: ended: SIGKILL after 30 s"];
    assertEquals(log.take(), [...ends, "INFO web: killing -> running (all of it ended), pid 103"]);
    assertEquals([children.overlaps, children.last("web").spec.args], [0, ["false"]]);
    await world.advance(60_000);
    assertEquals(log.take(), []);
  });

  Deno.test(`Supervisor that is closed gives a process ${who} up 5 s after that, and ends with 1`, async () => {
    await using world = await withStuck(script);
    world.supervisor.close();
    await world.advance(POLICY.killTimeMs + STUCK_MS - 1);
    assertEquals([reports(world), world.exitCode], [[], null]);
    await world.advance(1);
    assertEquals(reports(world), [
      "ERROR web: does not end 5 s after SIGKILL and is left behind: pid 101 (uninterruptible sleep)",
    ]);
    assertEquals([world.exitCode, world.host.children.running()], [1, ["web"]]);
    // The next monitor must find it.
    assertEquals([...world.host.pids.configs.keys()], ["web"]);
  });
}

Deno.test("Supervisor that is closed gives up at once who has been stuck for 5 s", async () => {
  await using world = await withStuck();
  world.post("web", { type: "unwanted" });
  await world.advance(POLICY.killTimeMs + STUCK_MS + 9000);
  world.supervisor.close();
  await world.settle();
  assertEquals(world.host.log.count("ERROR web: does not end 14 s after SIGKILL and is left behind: "), 1);
  assertEquals(world.exitCode, 1);
});

Deno.test("Supervisor that is closed a second time gives up 5 s later who does not end", async () => {
  await using world = await withStuck();
  world.supervisor.close();
  await world.advance(100);
  world.supervisor.close();
  await world.advance(STUCK_MS - 1);
  assertEquals([world.host.children.last("web").signals, world.exitCode], [["SIGTERM", "SIGKILL"], null]);
  await world.advance(1);
  assertEquals(world.exitCode, 1);
});

Deno.test("Supervisor names at a second signal who does not end on SIGKILL", async () => {
  await using world = await withStuck();
  const { log } = world.host;
  world.post("web", { type: "kill" });
  await world.advance(2000);
  log.take();
  world.supervisor.close();
  await world.settle();
  assertEquals(log.count("does not end 2 s after"), 0);
  world.supervisor.close();
  await world.settle();
  assertEquals(log.count("WARN web: does not end 2 s after SIGKILL: pid 101 (uninterruptible sleep)"), 1);
  assertEquals([world.exitCode, reports(world).length], [null, 1]);
  await world.advance(3000);
  assertEquals([world.exitCode, log.count("ERROR web: does not end 5 s after SIGKILL and is left behind")], [1, 1]);
});

Deno.test("Supervisor tells of each that is asked of a process that stops when SIGKILL comes", async () => {
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
  assertEquals(world.host.log.count("INFO web: stopping -> killing (kill time over)"), 1);
});

Deno.test("Supervisor that is closed waits for others after it gave one up, and for one that ends in time", async () => {
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

Deno.test("Supervisor says every 10 s of a child that may not be signalled that it waits for it", async () => {
  await using world = await withStuck({ refuses: true });
  world.post("web", { type: "unwanted" });
  await world.advance(POLICY.killTimeMs + STUCK_MS + 10_000);
  const line = "WARN web: may not be signalled: pid 101 (uninterruptible sleep)";
  assertEquals(world.host.log.lines.filter((other) => other === line).length, 2);
});

Deno.test("Supervisor that must end in time kills a second before, gives up in between, and ends with 1", async () => {
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
  assertEquals(world.host.log.count("stuck: does not end 0.5 s after SIGKILL and is left behind"), 1);
});

Deno.test("Supervisor that must end in time kills in time also what was stopping before, and what was left by another", async () => {
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
