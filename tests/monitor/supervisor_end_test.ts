import { MIN_START_GAP_MS } from "@ncolony/core";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { sample } from "../core/samples.ts";
import { FakeLog } from "./fake_host.ts";
import { POLICY, SupervisorWorld } from "./worlds.ts";

Deno.test("Supervisor ends with 0 when it is closed while nothing runs", async () => {
  await using world = new SupervisorWorld();
  await world.settle();
  assertEquals(world.exitCode, null);
  world.supervisor.close();
  await world.settle();
  assertEquals(world.exitCode, 0);
});

Deno.test("Supervisor ends with 0 only when all processes have ended", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  const { children } = world.host;
  children.last("db").script = { endsInMs: 3000 };
  world.supervisor.close();
  await world.advance(2999);
  assertEquals([children.running(), world.exitCode], [["db"], null]);
  await world.advance(1);
  assertEquals([children.running(), world.exitCode], [[], 0]);
});

Deno.test("Supervisor does not start a waiting process when it is closed", async () => {
  await using world = await SupervisorWorld.running("web");
  world.host.children.last("web").end({ type: "code", code: 1 });
  await world.settle();
  world.supervisor.close();
  await world.advance(10_000);
  assertEquals([world.host.children.started.length, world.exitCode], [1, 0]);
});

Deno.test("Supervisor does not start a process that is already due when it is closed", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  const { children } = world.host;
  for (const name of ["web", "db"]) {
    children.last(name).end({ type: "code", code: 1 });
    // Both are due at the same time, and the first start closes the supervisor.
    children.script(name, () => {
      world.supervisor.close();
      return {};
    });
  }
  await world.advance(1000);
  assertEquals([children.started.length, children.running(), world.exitCode], [3, [], 0]);
});

Deno.test("Supervisor starts nothing after an exit that is already queued when it is closed", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  const { children } = world.host;
  children.script("web", () => {
    // Events that are posted during a start are queued.
    children.last("db").end({ type: "code", code: 1 });
    world.supervisor.close();
    return {};
  });
  await world.advance(5000);
  children.last("web").end({ type: "code", code: 1 });
  await world.advance(10_000);
  assertEquals([children.started.map(({ spec }) => spec.name), world.exitCode], [["web", "db", "web"], 0]);
});

Deno.test("Supervisor does not start a waiting process when it is closed even if a restart was requested", async () => {
  await using world = await SupervisorWorld.running("web");
  const { children } = world.host;
  children.last("web").end({ type: "code", code: 1 });
  await world.settle();
  // Events that are posted during a start are processed after it.
  children.onSpawn = () => {
    world.post("web", { type: "restart" });
    world.supervisor.close();
  };
  await world.want("db");
  assertEquals([children.started.length, world.exitCode], [2, 0]);
});

Deno.test("Supervisor does not restart a process that crashes while it is being closed", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  const { children } = world.host;
  children.last("web").script = { endsInMs: Infinity };
  children.last("db").script = { endsInMs: Infinity };
  world.supervisor.close();
  await world.advance(1000);
  children.last("db").end({ type: "signal", signal: "SIGSEGV" });
  await world.advance(10_000);
  assertEquals([children.started.length, world.exitCode], [2, 0]);
});

Deno.test("Supervisor drops queued configs and restarts when it is closed", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  const { children } = world.host;
  children.onSpawn = () => {
    world.post("new", { type: "wanted", spec: sample("new") });
    world.post("db", { type: "wanted", spec: sample("db", { args: ["false"] }) });
    world.post("web", { type: "restart" });
    world.supervisor.close();
  };
  await world.want("last");
  world.post("late", { type: "wanted", spec: sample("late") });
  await world.settle();
  assertEquals(children.started.map(({ spec }) => spec.name), ["web", "db", "last"]);
  assertEquals(world.exitCode, 0);
});

Deno.test("Supervisor applies no new config to a process that is stopping because it is closed", async () => {
  await using world = await SupervisorWorld.running("web");
  const { children } = world.host;
  children.last("web").script = { endsInMs: 2000 };
  world.supervisor.close();
  await world.advance(1000);
  await world.want("web", { args: ["false"] });
  world.post("web", { type: "restart" });
  await world.advance(1000);
  assertEquals([children.started.length, world.exitCode], [1, 0]);
});

Deno.test("Supervisor kills the remaining processes when it is closed a second time", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  const { children } = world.host;
  children.last("web").script = { endsInMs: Infinity };
  world.supervisor.close();
  await world.advance(100);
  world.supervisor.close();
  await world.settle();
  assertEquals(children.last("web").signals, ["SIGTERM", "SIGKILL"]);
  assertEquals(children.last("db").signals, ["SIGTERM"]);
  assertEquals(world.exitCode, 0);
});

Deno.test("Supervisor does nothing more when it is closed a third time", async () => {
  await using world = await SupervisorWorld.running("web");
  world.host.children.last("web").script = { endsInMs: Infinity };
  for (let i = 0; i < 3; i++) world.supervisor.close();
  await world.settle();
  world.supervisor.close();
  await world.settle();
  assertEquals(world.host.children.last("web").signals, ["SIGTERM", "SIGKILL"]);
  assertEquals(world.exitCode, 0);
});

Deno.test("Supervisor stops everything in order and ends with 1 after an internal error", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  world.supervisor.fail(new TypeError("x is not a function"));
  await world.settle();
  const [first, ...others] = world.host.log.take();
  assertStringIncludes(first!, "ERROR internal error, stopping: TypeError: x is not a function");
  assertEquals(others.length, 6);
  assertEquals(world.host.children.started.map(({ signals }) => signals), [["SIGTERM"], ["SIGTERM"]]);
  assertEquals(world.exitCode, 1);
});

Deno.test("Supervisor stops everything in order when the log throws", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  const { log } = world.host;
  log.info = () => {
    log.info = FakeLog.prototype.info;
    throw new Error("the log is full");
  };
  for (const name of ["web", "db"]) world.post(name, { type: "restart" });
  await world.settle();
  assertStringIncludes(log.take()[0]!, "ERROR internal error, stopping: Error: the log is full");
  assertEquals([world.host.children.running(), world.exitCode], [[], 1]);
});

Deno.test("Supervisor stops everything in order when an effect throws, and asks no child to stop twice", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  const { children } = world.host;
  const web = children.last("web");
  const asked: string[] = [];
  const signal = web.signal.bind(web);
  // The first signal throws. If the state were not stored before that, the same signal would be sent again.
  web.signal = (name) => {
    asked.push(name);
    if (asked.length === 1) throw new Error("no such signal");
    signal(name);
  };
  world.post("web", { type: "restart" });
  await world.settle();
  assertEquals([children.running(), world.exitCode], [["web"], null]);
  await world.advance(POLICY.killTimeMs);
  assertEquals(asked, ["SIGTERM", "SIGKILL"]);
  assertEquals(children.last("db").signals, ["SIGTERM"]);
  assertEquals([children.started.length, world.exitCode], [2, 1]);
});

Deno.test("Supervisor does not kill its processes when an error occurs while it is being closed", async () => {
  await using world = await SupervisorWorld.running("web");
  const { children } = world.host;
  children.last("web").script = { endsInMs: 1000 };
  world.supervisor.close();
  world.supervisor.fail("out of luck");
  await world.advance(1000);
  assertEquals(world.host.log.count("ERROR internal error, stopping: out of luck"), 1);
  assertEquals([children.last("web").signals, world.exitCode], [["SIGTERM"], 1]);
});

Deno.test("Supervisor sends a refused signal again on each retry, and logs the refusal once", async () => {
  await using world = await SupervisorWorld.running("web");
  const web = world.host.children.last("web");
  web.script = { refuses: true };
  world.post("web", { type: "unwanted" });
  await world.settle();
  for (let i = 0; i < 3; i++) world.supervisor.retry();
  assertEquals(world.host.log.count("cannot send SIGTERM to pid 101"), 1);
  assertEquals(web.signals, []);
  web.script = {};
  world.supervisor.retry();
  world.supervisor.retry();
  await world.settle();
  assertEquals(web.signals, ["SIGTERM"]);
  assertEquals(world.host.children.running(), []);
});

Deno.test("Supervisor does not give up on a refused signal while it is open", async () => {
  await using world = await SupervisorWorld.running("web");
  const web = world.host.children.last("web");
  web.script = { refuses: true };
  await world.want("web", { args: ["false"] });
  await world.advance(60_000);
  assertEquals(world.host.children.started.length, 1);
  web.script = {};
  world.supervisor.retry();
  await world.settle();
  assertEquals(web.signals, ["SIGKILL"]);
  assertEquals(world.host.children.last("web").spec.args, ["false"]);
});

Deno.test("Supervisor gives up on a child that it may not kill when it is closed, and ends with 1", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  world.host.children.last("web").script = { refuses: true };
  world.supervisor.close();
  await world.advance(POLICY.killTimeMs - 1);
  assertEquals([world.host.children.running(), world.exitCode], [["web"], null]);
  await world.advance(1);
  assertEquals(world.host.log.count("ERROR web: cannot be signaled and is left behind: pid 101 "), 1);
  assertEquals(world.exitCode, 1);
});

Deno.test("Supervisor gives up at once on a child that it may not kill when it is closed a second time", async () => {
  await using world = await SupervisorWorld.running("web");
  world.host.children.last("web").script = { refuses: true };
  world.supervisor.close();
  await world.advance(10);
  world.supervisor.close();
  await world.settle();
  assertEquals(world.exitCode, 1);
});

Deno.test("Supervisor gives up at once on a child that it could not kill before it was closed", async () => {
  await using world = await SupervisorWorld.running("web");
  world.host.children.last("web").script = { refuses: true };
  world.post("web", { type: "unwanted" });
  await world.advance(60_000);
  world.supervisor.close();
  await world.settle();
  assertEquals(world.exitCode, 1);
});

Deno.test("Supervisor writes a pid file in the same turn as the spawn, and removes it when the leader exits", async () => {
  await using world = new SupervisorWorld();
  const { children, journal, pids } = world.host;
  children.onSpawn = () => queueMicrotask(() => journal.push("next turn"));
  children.script("web", { leaves: "stubborn" });
  await world.want("web");
  assertEquals(journal.slice(0, 3), ["spawn web", "write pid web", "log web: gone -> running (wanted), pid 101"]);
  assertEquals(journal[3], "next turn");
  assertEquals(pids.files, new Map([["web", 101]]));
  world.post("web", { type: "unwanted" });
  await world.settle();
  assert(children.last("web").exit !== null);
  assertEquals(pids.files.size, 0);
  assertEquals([...pids.configs.keys()], ["web"], "somebody of its group is left, whom the next monitor must find");
  await world.advance(POLICY.killTimeMs);
  assertEquals(pids.configs.size, 0);
});

Deno.test("Supervisor replaces the pid file when a process is restarted", async () => {
  await using world = await SupervisorWorld.running("web");
  world.post("web", { type: "restart" });
  await world.settle();
  assertEquals(world.host.pids.files, new Map([["web", 102]]));
});

Deno.test("Supervisor logs once that the pid directory fails, and keeps its processes running", async () => {
  await using world = await SupervisorWorld.running("web", "db");
  const { log, pids } = world.host;
  pids.writeFault = "ENOSPC";
  pids.removeFault = "ENOSPC";
  for (let i = 0; i < 3; i++) {
    world.post("web", { type: "restart" });
    world.post("db", { type: "restart" });
    await world.advance(MIN_START_GAP_MS);
  }
  assertEquals(log.take().filter((line) => line.includes("pid directory")), [
    'WARN web: cannot keep the pid directory "/pids" up to date: ENOSPC',
  ]);
  assertEquals(world.host.children.running(), ["db", "web"]);
});

Deno.test("Supervisor logs again that the pid directory fails after it worked again", async () => {
  await using world = await SupervisorWorld.running("web");
  const { log, pids } = world.host;
  for (const fault of ["ENOSPC", null, "ENOSPC"]) {
    pids.writeFault = fault;
    pids.removeFault = fault;
    world.post("web", { type: "restart" });
    await world.advance(MIN_START_GAP_MS);
    world.supervisor.retry();
    await world.settle();
  }
  assertEquals(log.lines.filter((line) => line.includes("pid directory")), [
    'WARN web: cannot keep the pid directory "/pids" up to date: ENOSPC',
    'INFO the pid directory "/pids" is up to date again',
    'WARN web: cannot keep the pid directory "/pids" up to date: ENOSPC',
  ]);
  assertEquals(pids.files.size, 1);
});
