import { MIN_START_GAP_MS } from "@ncolony/core";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DEFAULTS, type Options } from "../../monitor/options.ts";
import { Colony } from "../../monitor/colony.ts";
import { FakeHost } from "./fake_host.ts";
import { config, restart } from "./worlds.ts";

/** A colony on a fake host. */
class ColonyWorld {
  readonly host = new FakeHost();
  readonly colony: Colony;
  /** The number of children whose output has not ended. */
  openOutputs = 0;
  /** For each flush of the output, the last line that was logged before it. */
  readonly flushes: (string | undefined)[] = [];

  constructor(options: Partial<Options> = {}) {
    const { host } = this;
    const output = {
      log: host.log,
      forChild: () => {
        this.openOutputs++;
        return { stdout: () => {}, stderr: () => {}, end: () => void this.openOutputs-- };
      },
      flush: () => {
        this.flushes.push(host.log.lines.at(-1));
        return Promise.resolve();
      },
    };
    this.colony = new Colony({ ...DEFAULTS, config: "/config", messages: "/messages", ...options }, { host, output });
  }

  /** Starts the colony with these configs. Returns an object that will contain the exit code. */
  async start(configs: Record<string, string> = {}): Promise<{ code: number | null }> {
    for (const [name, text] of Object.entries(configs)) this.host.config.write(name, text);
    const exit: { code: number | null } = { code: null };
    this.colony.start();
    this.colony.ended.then((code) => {
      exit.code = code;
    });
    await this.host.clock.settle();
    return exit;
  }

  advance(byMs: number): Promise<void> {
    return this.host.clock.advance(byMs);
  }

  /** Stops the colony, if that takes no time. */
  async stop(): Promise<void> {
    const stopped = this.colony.stop();
    await this.advance(0);
    await stopped;
  }
}

Deno.test("Colony runs the processes of the config directory until it is stopped", async () => {
  const world = new ColonyWorld({ pid: "/pids" });
  const { children, config: configs, messages, pids } = world.host;
  const exit = await world.start({ web: config("httpd") });
  configs.post("db", config("postgres"));
  await world.advance(0);
  assertEquals(children.running(), ["db", "web"]);
  configs.post("web", config("nginx"));
  messages.post("1", restart("db"));
  await world.advance(MIN_START_GAP_MS);
  assertEquals(children.started.map(({ spec }) => spec.args[0]).sort(), [
    "httpd",
    "nginx",
    "postgres",
    "postgres",
  ]);
  configs.remove("web");
  await world.advance(100);
  assertEquals([...pids.files.keys()], ["db"]);
  await world.stop();
  assertEquals([children.running(), pids.files.size, exit.code, world.openOutputs], [[], 0, 0, 0]);
  assertEquals(world.flushes, ["INFO all processes have ended"]);
  assertEquals(children.overlaps, 0);
});

Deno.test("Colony uses the times of its options, in seconds", async () => {
  const world = new ColonyWorld({
    frequency: 2,
    killtime: 0.25,
    threshold: 0.5,
    minrestartdelay: 0.125,
    maxrestartdelay: 0.2,
  });
  const { children, clock, config: configs, watches } = world.host;
  children.script("web", (run) => run < 3 ? { livesMs: 400, exit: { type: "code", code: 1 } } : { endsInMs: Infinity });
  const begin = clock.now();
  await world.start({ web: config("httpd") });
  await world.advance(1900);
  assertEquals(children.started.map(({ since }) => since - begin), [0, 525, 1125, 1725]);
  watches.isSilent = true;
  configs.write("db", config("postgres"));
  await world.advance(100);
  await world.advance(100);
  assertEquals(children.last("db").since - begin, 2100);
  configs.remove("web");
  await world.advance(1900);
  await world.advance(349);
  assertEquals(children.last("web").signals, ["SIGTERM"]);
  await world.advance(1);
  assertEquals(children.last("web").signals, ["SIGTERM", "SIGKILL"]);
  await world.stop();
});

Deno.test("Colony.start() rejects if the colony was started before", async () => {
  const world = new ColonyWorld();
  const exit = await world.start();
  await assertRejects(() => world.colony.start(), TypeError, "Cannot start a service twice");
  await world.colony.stop();
  await assertRejects(() => world.colony.start(), TypeError, "Cannot start a service twice");
  assertEquals(exit.code, 0);
});

Deno.test("Colony.start() resolves when the colony runs, and ended resolves when everything has ended", async () => {
  const world = new ColonyWorld();
  world.host.config.write("web", config("httpd"));
  let isRunning = false;
  const exit: { code: number | null } = { code: null };
  world.colony.ended.then((code) => void (exit.code = code));
  world.colony.start().then(() => void (isRunning = true));
  await world.advance(60_000);
  assertEquals([isRunning, exit.code, world.host.children.running()], [true, null, ["web"]]);
  await world.stop();
  assertEquals([await world.colony.ended, exit.code], [0, 0]);
});

Deno.test("Colony.start() rejects if a directory is missing, and ended resolves with 1", async () => {
  const world = new ColonyWorld();
  const comeBack = world.host.config.vanish();
  await assertRejects(() => world.colony.start(), Error, 'Cannot use directory "/config": no such file or directory');
  comeBack();
  await assertRejects(() => world.colony.start(), TypeError, "Cannot start a service twice");
  assertEquals([await world.colony.ended, world.host.locks.size], [1, 0]);
  await world.colony.stop();
});

Deno.test("Colony.start() rejects if another monitor uses the messages directory", async () => {
  const world = new ColonyWorld();
  world.host.locks.add(world.host.messages.id!);
  await assertRejects(() => world.colony.start(), Error, "another monitor uses this messages directory");
  await world.advance(60_000);
  assertEquals([world.host.config.calls.names, world.host.watches.open], [0, 0]);
});

Deno.test("Colony.start() rejects if another monitor uses the pid directory, and releases the messages directory", async () => {
  const world = new ColonyWorld({ pid: "/pids" });
  world.host.pids.lockError = new Error("another monitor keeps its pid files there");
  await assertRejects(() => world.colony.start(), Error, "another monitor keeps its pid files there");
  await world.advance(60_000);
  assertEquals([world.host.locks.size, world.host.children.started.length], [0, 0]);
});

Deno.test("Colony logs that it cannot lock the pid directory, and runs anyway", async () => {
  const world = new ColonyWorld({ pid: "/pids" });
  world.host.pids.lockFault = "needs --allow-write";
  await world.start({ web: config("httpd") });
  assertEquals(world.host.log.count("needs --allow-write; a second monitor that uses it would not be noticed"), 1);
  assertEquals(world.host.children.running(), ["web"]);
  await world.stop();
});

Deno.test("Colony throws in its constructor if the pid directory cannot be created", () => {
  const host = new FakeHost();
  host.pidError = new Error("Cannot make /pids: permission denied");
  const output = { log: host.log, forChild: () => ({ stdout: () => {}, stderr: () => {}, end: () => {} }) };
  const options = { ...DEFAULTS, config: "/config", messages: "/messages" };
  const parts = { host, output: { ...output, flush: () => Promise.resolve() } };
  assertThrows(() => new Colony({ ...options, pid: "/pids" }, parts), Error, "Cannot make /pids");
  assert(new Colony(options, parts) instanceof Colony, "without --pid none is made");
});

Deno.test("Colony.stop() does nothing before the start", async () => {
  const world = new ColonyWorld();
  await world.colony.stop();
  await world.colony[Symbol.asyncDispose]();
  await world.start({ web: config("httpd") });
  assertEquals(world.host.children.running(), ["web"]);
  await world.stop();
});

Deno.test("Colony.stop() resolves only when all processes have ended", async () => {
  const world = new ColonyWorld();
  world.host.children.script("web", { endsInMs: 3000 });
  await world.start({ web: config("httpd") });
  let isStopped = false;
  world.colony.stop().then(() => {
    isStopped = true;
  });
  await world.advance(2999);
  assert(!isStopped);
  await world.advance(1);
  assert(isStopped);
});

Deno.test("Colony.stop() kills the processes when it is called again", async () => {
  const world = new ColonyWorld();
  world.host.children.script("web", { endsInMs: Infinity });
  const exit = await world.start({ web: config("httpd") });
  const stops = [world.colony.stop()];
  await world.advance(10);
  assertEquals(world.host.children.last("web").signals, ["SIGTERM"]);
  stops.push(world.colony.stop());
  await world.advance(0);
  await Promise.all(stops);
  assertEquals([world.host.children.last("web").signals, exit.code], [["SIGTERM", "SIGKILL"], 0]);
  await world.colony.stop();
});

Deno.test("Colony starts and scans nothing after it is stopped", async () => {
  const world = new ColonyWorld();
  world.host.children.script("web", { endsInMs: 3000 });
  await world.start({ web: config("httpd") });
  const stopped = world.colony.stop();
  const calls = world.host.config.callCount;
  world.host.config.post("web", config("nginx"));
  world.host.config.post("new", config("sleep"));
  world.host.messages.post("1", restart("web"));
  await world.advance(60_000);
  await stopped;
  assertEquals([world.host.children.started.length, world.host.config.callCount], [1, calls]);
  assertEquals([world.host.locks.size, world.host.clock.nextDue], [0, Infinity]);
});

Deno.test("Colony stops at the end of its scope", async () => {
  const world = new ColonyWorld();
  {
    await using _colony = world.colony;
    await world.start({ web: config("httpd") });
    assertEquals(world.host.children.running(), ["web"]);
    // The fake clock does not advance by itself, so the scope would never end.
    queueMicrotask(() => world.advance(0));
  }
  assertEquals(world.host.children.running(), []);
});

Deno.test("Colony does not kill processes at the end of its scope if it is already stopping", async () => {
  const world = new ColonyWorld();
  world.host.children.script("web", { endsInMs: 3000 });
  await world.start({ web: config("httpd") });
  const ends = [world.colony.stop(), world.colony[Symbol.asyncDispose]()];
  await world.advance(3000);
  await Promise.all(ends);
  assertEquals(world.host.children.last("web").signals, ["SIGTERM"]);
});

Deno.test("Colony stops its processes in order and ends with 1 after an internal error", async () => {
  const world = new ColonyWorld();
  world.host.children.script("web", { endsInMs: 3000 });
  const exit = await world.start({ web: config("httpd"), db: config("postgres") });
  world.colony.fail(new Error("out of luck"));
  await world.advance(2999);
  assertEquals([world.host.children.running(), exit.code], [["web"], null]);
  await world.advance(1);
  assertEquals([world.host.children.running(), exit.code], [[], 1]);
  assertEquals(world.host.log.count("ERROR internal error, stopping: Error: out of luck"), 1);
  assertEquals([world.host.locks.size, world.host.watches.open], [0, 0]);
});

Deno.test("Colony stops its processes in order and ends with 1 when a scan throws", async () => {
  const world = new ColonyWorld();
  const exit = await world.start({ web: config("httpd") });
  world.host.config.onCall = (operation) => {
    if (operation === "names") throw new Error("a bug");
  };
  await world.advance(10_000);
  assertEquals([world.host.children.running(), exit.code], [[], 1]);
  assertEquals(world.host.log.count("Error: a bug"), 1);
});

Deno.test("Colony sends refused signals again after each full scan", async () => {
  const world = new ColonyWorld();
  await world.start({ web: config("httpd") });
  const web = world.host.children.last("web");
  web.script = { refuses: true };
  world.host.config.remove("web");
  await world.advance(6000);
  web.script = {};
  await world.advance(3999);
  assertEquals(web.signals, []);
  await world.advance(1);
  assertEquals(web.signals, ["SIGKILL"]);
  assertEquals(world.host.children.running(), []);
  await world.stop();
});

Deno.test("Colony leaves a child behind that it may not signal, and ends with 1", async () => {
  const world = new ColonyWorld();
  world.host.children.script("web", { refuses: true });
  const exit = await world.start({ web: config("httpd"), db: config("postgres") });
  const stopped = world.colony.stop();
  await world.advance(5000);
  await stopped;
  assertEquals([world.host.children.running(), exit.code], [["web"], 1]);
});

Deno.test("Colony starts, restarts and stops 1,000 processes", async () => {
  const world = new ColonyWorld({ pid: "/pids" });
  const { children, messages, pids } = world.host;
  const names = Array.from({ length: 1000 }, (_, index) => `web${index}`);
  const exit = await world.start(Object.fromEntries(names.map((name) => [name, config("httpd")])));
  assertEquals(children.running().length, 1000);
  messages.post("1", '{"type": "RESTART-ALL"}');
  await world.advance(1000);
  assertEquals([children.started.length, children.running().length, pids.files.size], [2000, 1000, 1000]);
  await world.stop();
  assertEquals([children.running().length, pids.files.size, exit.code, children.overlaps], [0, 0, 0, 0]);
});
