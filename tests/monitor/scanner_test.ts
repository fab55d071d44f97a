import { assert, assertEquals } from "@std/assert";
import { config, FREQUENCY_MS, ScannerWorld } from "./worlds.ts";

Deno.test("Scanner starts the processes of the config directory in its first scan", async () => {
  await using world = new ScannerWorld({ configs: { web: config("httpd"), db: config("postgres") } });
  await world.start();
  assertEquals(world.take().sort(), ["db wanted postgres", "web wanted httpd"]);
});

Deno.test("Scanner starts a process whose config is added later", async () => {
  await using world = new ScannerWorld();
  await world.start();
  assertEquals(world.take(), []);
  await world.advance(3000);
  world.config.post("web", config("httpd"));
  await world.settle();
  assertEquals(world.take(), ["web wanted httpd"]);
});

Deno.test("Scanner restarts a process whose config changed, and neither restarts others nor reads their configs", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd"), db: config("postgres"), job: config("sleep") });
  const { read } = world.config.calls;
  world.config.post("web", config("nginx"));
  await world.settle();
  assertEquals(world.take(), ["web wanted nginx"]);
  assertEquals(world.config.calls.read, read + 1);
  await world.advance(3 * FREQUENCY_MS);
  assertEquals(world.take(), []);
});

Deno.test("Scanner posts nothing when a config is written again unchanged", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.config.post("web", config("httpd"));
  await world.advance(1000);
  world.config.write("web", config("httpd"));
  await world.advance(3 * FREQUENCY_MS);
  assertEquals(world.take(), []);
});

Deno.test("Scanner stops a process whose config is removed", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd"), db: config("postgres") });
  world.config.remove("web");
  await world.advance(99);
  assertEquals(world.take(), []);
  await world.advance(1);
  assertEquals(world.take(), ["web unwanted"]);
});

Deno.test("Scanner posts nothing for a config that is missing for a moment", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.config.remove("web");
  await world.advance(50);
  world.config.write("web", config("httpd"));
  await world.advance(2 * FREQUENCY_MS);
  assertEquals(world.take(), []);
});

Deno.test("Scanner ignores names that begin with . or end with .new", async () => {
  await using world = new ScannerWorld({ configs: { ".web": config("httpd"), "web.new": config("httpd"), "..": "" } });
  await world.start();
  world.config.write("web.new", "{");
  world.config.write(".web", "{");
  await world.advance(2 * FREQUENCY_MS);
  assertEquals([world.take(), world.log.take()], [[], []]);
});

Deno.test("Scanner keeps the last valid config while the file is invalid, and logs the problem once", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.config.post("web", "{");
  await world.advance(5 * FREQUENCY_MS);
  assertEquals(world.take(), []);
  assertEquals(world.log.take(), [
    "WARN web: invalid config: invalid JSON at line 1, column 2: a } is missing at the end; the last valid config stays in effect",
  ]);
});

Deno.test("Scanner logs the problem of a config again when it is edited and still invalid", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  for (const text of ["{", "[", "{"]) {
    world.config.post("web", text);
    await world.advance(FREQUENCY_MS);
  }
  const isSaid = "; the last valid config stays in effect";
  const missing = (close: string) =>
    `WARN web: invalid config: invalid JSON at line 1, column 2: a ${close} is missing at the end${isSaid}`;
  assertEquals(world.log.take(), [missing("}"), missing("]"), missing("}")]);
  assertEquals(world.take(), []);
});

Deno.test("Scanner applies an invalid config when it is fixed", async () => {
  await using world = new ScannerWorld({ configs: { web: '{"args": []}', db: config("postgres") } });
  await world.start();
  assertEquals(world.take(), ["db wanted postgres"]);
  assertEquals(world.log.count("WARN web: invalid config: "), 1);
  assertEquals(world.log.count("last good config"), 0);
  world.config.post("web", config("httpd"));
  world.config.post("db", "");
  await world.settle();
  world.config.post("db", config("postgres"));
  await world.advance(3 * FREQUENCY_MS);
  assertEquals(world.take(), ["web wanted httpd"]);
  // A config that was fixed and breaks again in the same way is logged again.
  world.config.post("db", "");
  await world.settle();
  assertEquals(world.log.count("WARN db: invalid config: "), 2);
});

Deno.test("Scanner keeps the last valid config while the file cannot be read", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.config.plant("web", "not a regular file");
  world.config.plant("new", "not valid UTF-8");
  await world.advance(5 * FREQUENCY_MS);
  assertEquals(world.take(), []);
  assertEquals(world.log.take().sort(), [
    "WARN new: invalid config: not valid UTF-8",
    "WARN web: invalid config: not a regular file; the last valid config stays in effect",
  ]);
  world.config.post("web", config("nginx"));
  world.config.post("new", config("sleep"));
  await world.settle();
  assertEquals(world.take().sort(), ["new wanted sleep", "web wanted nginx"]);
});

Deno.test("Scanner stops a process whose invalid config is removed", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.config.post("web", "{");
  await world.advance(FREQUENCY_MS);
  world.config.remove("web");
  await world.advance(100);
  assertEquals(world.take(), ["web unwanted"]);
});

Deno.test("Scanner stops a process that is disabled, and starts it when it is enabled", async () => {
  const off = { "ncolony.monitor": { enabled: false } };
  await using world = await ScannerWorld.idle({ web: config("httpd"), db: config("postgres", off) });
  assertEquals(world.posts, ["web wanted httpd"]);
  world.config.post("web", config("httpd", off));
  world.config.post("db", config("postgres"));
  await world.settle();
  assertEquals(world.take().sort(), ["db wanted postgres", "web unwanted"]);
  world.config.post("web", config("nginx", off));
  await world.advance(FREQUENCY_MS);
  assertEquals(world.take(), []);
  assertEquals(world.log.take(), []);
});

Deno.test("Scanner warns about a uid without a gid if the monitor's own group is 0", async () => {
  for (const [gid, warnings] of [[0, 1], [1000, 0], [null, 0]] as const) {
    await using world = new ScannerWorld({
      configs: {
        alone: config("a", { uid: 33 }),
        both: config("b", { uid: 33, gid: 33 }),
        root: config("c", { uid: 0 }),
        none: config("d"),
      },
    });
    world.host.gid = gid;
    await world.start();
    await world.advance(3 * FREQUENCY_MS);
    assertEquals(world.take().length, 4);
    assertEquals(world.log.lines.length, warnings);
    assertEquals(
      world.log.count(`WARN alone: "uid" is set without "gid": the process runs with the monitor's gid 0`),
      warnings,
    );
  }
});

Deno.test("Scanner shortens a long name in a warning", async () => {
  await using world = new ScannerWorld({ configs: { ["x".repeat(200)]: config("a", { uid: 33 }) } });
  world.host.gid = 0;
  await world.start();
  await world.advance(FREQUENCY_MS);
  const shown = `${"x".repeat(100)}…`;
  assertEquals(world.log.take(), [
    `WARN ${shown}: "uid" is set without "gid": the process runs with the monitor's gid 0`,
  ]);
});

Deno.test("Scanner changes nothing and logs that once while the config directory is missing", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  const comeBack = world.config.vanish();
  await world.advance(3 * FREQUENCY_MS);
  assertEquals(world.take(), []);
  assertEquals(world.log.take().filter((line) => !line.includes("watch")), [
    "ERROR cannot read the config directory /config: no such file or directory; running processes keep running",
  ]);
  comeBack();
  world.config.post("web", config("nginx"));
  await world.advance(FREQUENCY_MS + 100);
  assertEquals(world.take(), ["web wanted nginx"]);
  assertEquals(world.log.take(), ["INFO the config directory /config can be read again"]);
});

Deno.test("Scanner changes nothing and logs that once while the config directory cannot be listed", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.config.unreadable = "permission denied";
  await world.advance(3 * FREQUENCY_MS);
  assertEquals(world.take(), []);
  assertEquals(world.log.take(), [
    "ERROR cannot read the config directory /config: permission denied; running processes keep running",
  ]);
  world.config.unreadable = null;
  await world.advance(FREQUENCY_MS);
  assertEquals(world.take(), []);
  assertEquals(world.log.take(), ["INFO the config directory /config can be read again"]);
});

Deno.test("Scanner changes nothing and logs that once when an empty directory replaces the config directory", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd"), db: config("postgres") });
  world.config.replace();
  await world.advance(3 * FREQUENCY_MS);
  assertEquals(world.take(), []);
  assertEquals(world.log.take(), [
    "ERROR cannot read the config directory /config: it is empty and not the same directory as before (unmounted?); " +
    "running processes keep running",
  ]);
  world.config.post("web", config("nginx"));
  await world.advance(100);
  assertEquals(world.take().sort(), ["db unwanted", "web wanted nginx"]);
  assertEquals(world.log.take(), ["INFO the config directory /config can be read again"]);
});

Deno.test("Scanner applies the configs of another directory if it is not empty", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd"), db: config("postgres"), job: config("sleep") });
  world.config.replace({ web: config("nginx"), job: config("sleep") });
  await world.advance(FREQUENCY_MS + 100);
  assertEquals(world.take().sort(), ["db unwanted", "web wanted nginx"]);
  assertEquals(world.log.take(), []);
});

Deno.test("Scanner stops everything when the config directory is emptied", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd"), db: config("postgres") });
  for (const name of world.config.names) world.config.remove(name);
  await world.advance(100);
  assertEquals(world.take().sort(), ["db unwanted", "web unwanted"]);
  assertEquals(world.log.take(), []);
});

Deno.test("Scanner scans nothing after it is closed, and releases everything", async () => {
  const world = await ScannerWorld.idle({ web: config("httpd") });
  const calls = world.config.callCount + world.messages.callCount;
  world.scanner.close();
  await world.settle();
  assert(world.hasEnded);
  world.config.post("web", config("nginx"));
  world.messages.post("1", '{"type": "RESTART-ALL"}');
  await world.advance(10 * FREQUENCY_MS);
  assertEquals(world.config.callCount + world.messages.callCount, calls);
  assertEquals([world.take(), world.messages.names], [[], ["1"]]);
  assertEquals([world.host.watches.open, world.host.locks.size, world.host.clock.nextDue], [0, 0, Infinity]);
});

Deno.test("Scanner discards a running scan when it is closed", async () => {
  const configs = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`web${index}`, config("httpd")]));
  const world = new ScannerWorld({ configs });
  const { clock } = world.host;
  world.config.costMs = 1;
  clock.holdsYields = true;
  await world.start();
  assertEquals(clock.yields, 1);
  const calls = world.config.callCount;
  // The result of the first slice has already been posted.
  assert(world.take().length < 20);
  world.scanner.close();
  clock.holdsYields = false;
  await world.advance(FREQUENCY_MS);
  assert(world.hasEnded);
  assertEquals([world.take(), world.error], [[], null]);
  assertEquals(world.config.callCount, calls);
});

Deno.test("Scanner lets other tasks run every 10 ms of a long scan", async () => {
  const configs = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`web${index}`, config("httpd")]));
  await using world = new ScannerWorld({ configs });
  const { clock } = world.host;
  world.config.costMs = 1;
  const turns: number[] = [];
  const giveTurn = clock.yield.bind(clock);
  clock.yield = () => {
    turns.push(clock.now());
    return giveTurn();
  };
  await world.start();
  assertEquals(world.take().length, 100);
  const gaps = turns.slice(1).map((turn, index) => turn - turns[index]!);
  // Two more operations may have begun before the 10 ms were over.
  assert(gaps.length >= 15 && Math.max(...gaps) <= 12, gaps.join());
});

Deno.test("Scanner does nothing after a scan during which it was stopped", async () => {
  await using world = new ScannerWorld({ configs: { web: config("httpd"), db: config("postgres") } });
  const { posts } = world;
  posts.push = (...all) => {
    world.scanner.stop();
    return Array.prototype.push.apply(posts, all);
  };
  await world.start();
  assertEquals([world.scans, world.hasEnded], [0, true]);
});
