import { MIN_START_GAP_MS } from "@ncolony/core";
import { assert, assertEquals, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { sample } from "../core/samples.ts";
import { POLICY, SupervisorWorld } from "./worlds.ts";

Deno.test("Supervisor stops everything in order and ends with 1 when a spawn throws", async () => {
  await using world = await SupervisorWorld.running("db");
  const { children } = world.host;
  children.error = new Error("a bug");
  await world.want("web");
  await world.advance(60_000);
  assertEquals(children.last("db").signals, ["SIGTERM"]);
  assertEquals(world.exitCode, 1);
});

Deno.test("Supervisor logs an error after everything that it did before", async () => {
  await using world = await SupervisorWorld.running("db");
  const { children, log, pids } = world.host;
  children.onSpawn = ({ name }) => {
    if (name === "web") pids.writeFault = "disk full";
    if (name === "last") throw new Error("a bug");
  };
  for (const name of ["api", "web", "last"]) world.post(name, { type: "wanted", spec: sample(name) });
  await world.settle();
  const lines = log.take();
  assertEquals(lines.slice(0, 3), [
    "INFO api: gone -> running (wanted), pid 102",
    'WARN web: cannot keep the pid directory "/pids" up to date: disk full',
    "INFO web: gone -> running (wanted), pid 103",
  ]);
  assertStringIncludes(lines[3]!, "ERROR internal error, stopping: Error: a bug");
});

Deno.test("Supervisor logs once that pid files cannot be written even if they can be removed", async () => {
  await using world = await SupervisorWorld.running("web");
  const { log, pids } = world.host;
  pids.writeFault = "ENOSPC";
  for (let i = 0; i < 3; i++) {
    world.post("web", { type: "restart" });
    await world.advance(MIN_START_GAP_MS);
  }
  assertEquals(log.count('cannot keep the pid directory "/pids" up to date: ENOSPC'), 1);
});

Deno.test("Supervisor logs nothing unexpected when a child exits that it gave up on", async () => {
  await using world = await SupervisorWorld.running("web");
  const { children, log, pids } = world.host;
  await world.want("db", { "ncolony.monitor": { kill_time: 20 } });
  const web = children.last("web");
  web.script = { refuses: true };
  children.last("db").script = { endsInMs: Infinity };
  world.supervisor.close();
  await world.advance(POLICY.killTimeMs);
  assertEquals(log.count("is left behind"), 1);
  web.end({ type: "code", code: 0 });
  await world.settle();
  assertEquals(log.count("cannot happen"), 0);
  assertEquals(pids.files.has("web"), false);
  await world.advance(20_000);
  assertEquals(world.exitCode, 1);
});

Deno.test("Supervisor does not kill its processes when it is closed for the first time after an error", async () => {
  await using world = await SupervisorWorld.running("web");
  const { children } = world.host;
  children.last("web").script = { endsInMs: 1000 };
  world.supervisor.fail(new Error("a bug"));
  await world.advance(10);
  world.supervisor.close();
  await world.advance(1000);
  assertEquals([children.last("web").signals, world.exitCode], [["SIGTERM"], 1]);
});

Deno.test("Supervisor meets its deadlines while other processes crash without a pause", async () => {
  await using world = new SupervisorWorld({ thresholdMs: 0, minDelayMs: 0, maxDelayMs: 0 });
  const { children, clock } = world.host;
  children.script("web", { endsInMs: Infinity });
  await world.want("web");
  const web = children.last("web");
  let killedAt: number | null = null;
  const signal = web.signal.bind(web);
  web.signal = (name) => {
    if (name === "SIGKILL") killedAt ??= clock.now();
    signal(name);
  };
  const begin = clock.now();
  world.post("web", { type: "unwanted" });
  children.onSpawn = () => clock.work(1);
  for (let i = 0; i < 200; i++) {
    children.script(`bad${i}`, () => clock.now() < begin + 20_000 ? { livesMs: 0 } : {});
    world.post(`bad${i}`, { type: "wanted", spec: sample(`bad${i}`) });
  }
  await world.advance(POLICY.killTimeMs + 200);
  assert(killedAt !== null);
  assertLessOrEqual(killedAt - begin, POLICY.killTimeMs + MIN_START_GAP_MS + 100);
});
