import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { config, FREQUENCY_MS, restart, ScannerWorld } from "./worlds.ts";

const NO_WATCH = "cannot watch the directories";
const UNTIL_THEN = "changes are only seen at the next full scan (--frequency)";

Deno.test("Scanner applies a config that is renamed into place at once", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.config.post("web", config("nginx"));
  world.config.post("new", config("sleep"));
  await world.settle();
  assertEquals(world.take().sort(), ["new wanted sleep", "web wanted nginx"]);
});

Deno.test("Scanner applies a config that is written in place when it has been unchanged for 100 ms", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.config.write("web", "");
  await world.advance(30);
  world.config.write("web", '{"args"');
  await world.advance(30);
  world.config.write("web", config("nginx"));
  await world.advance(99);
  assertEquals([world.take(), world.log.take()], [[], []]);
  await world.advance(1);
  assertEquals(world.take(), ["web wanted nginx"]);
});

Deno.test("Scanner applies a config that is written in place even if the watch reported only the first write", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.config.write("web", '{"args"');
  await world.settle();
  world.host.watches.isSilent = true;
  await world.advance(50);
  world.config.write("web", config("nginx"));
  await world.advance(100);
  assertEquals([world.take(), world.log.take()], [[], []]);
  await world.advance(100);
  assertEquals([world.take(), world.log.take()], [["web wanted nginx"], []]);
});

Deno.test("Scanner applies a config that vim writes once, and ignores its other files", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.config.write("4913", "");
  world.config.remove("4913");
  world.config.move("web", "web~");
  world.config.write("web", "");
  await world.advance(5);
  world.config.write("web", config("nginx"));
  world.config.remove("web~");
  await world.advance(2 * FREQUENCY_MS);
  assertEquals([world.take(), world.log.take()], [["web wanted nginx"], []]);
});

Deno.test("Scanner applies a config that sed -i writes once, and ignores its other file", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.config.write("sedAb12", config("ngi"));
  await world.advance(20);
  world.config.write("sedAb12", config("nginx"));
  world.config.move("sedAb12", "web");
  await world.advance(100);
  assertEquals(world.take(), ["web wanted nginx"]);
  await world.advance(2 * FREQUENCY_MS);
  assertEquals([world.take(), world.log.take()], [[], []]);
});

Deno.test("Scanner finds a change that the watch does not report in its next full scan", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.host.watches.isSilent = true;
  const stampedAt = world.host.clock.now() - 5000;
  world.config.write("web", config("nginx"));
  world.messages.post("1", restart("db"));
  await world.host.clock.advanceTo(stampedAt + FREQUENCY_MS - 1);
  assertEquals(world.take(), []);
  await world.host.clock.advanceTo(stampedAt + FREQUENCY_MS);
  assertEquals(world.log.count('message "1": RESTART "db"'), 1);
  await world.advance(100);
  assertEquals([world.take(), world.messages.names], [["web wanted nginx"], []]);
});

Deno.test("Scanner does nothing while nothing happens except one full scan per interval", async () => {
  const configs = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`web${index}`, config("httpd")]));
  await using world = await ScannerWorld.idle(configs);
  const { clock } = world.host;
  const before = { wakeups: clock.wakeups, config: { ...world.config.calls }, messages: { ...world.messages.calls } };
  await world.advance(60 * FREQUENCY_MS);
  const { calls } = world.config;
  assertEquals(clock.wakeups - before.wakeups, 60);
  assertEquals(calls.names - before.config.names, 60);
  assertEquals(calls.stamp - before.config.stamp, 6000);
  assertEquals(calls.read - before.config.read, 0);
  assertLessOrEqual(calls.identity - before.config.identity, 180);
  assertEquals(world.messages.calls.names - before.messages.names, 60);
  assertEquals(world.messages.calls.stamp - before.messages.stamp, 0);
  assertLessOrEqual(world.messages.calls.identity - before.messages.identity, 180);
  assertEquals(world.scans, 60 + 3);
});

Deno.test("Scanner reads a file again that may have changed within its timestamp, and then no more", async () => {
  await using world = new ScannerWorld({ configs: { web: config("httpd") } });
  await world.start();
  world.host.watches.isSilent = true;
  // The size, inode and millisecond are the same. Only reading the file again shows the change.
  world.config.write("web", config("nginx"));
  await world.advance(FREQUENCY_MS);
  assertEquals(world.take(), ["web wanted httpd", "web wanted nginx"]);
  const { read } = world.config.calls;
  await world.advance(5 * FREQUENCY_MS);
  assertEquals(world.config.calls.read, read);
});

Deno.test("Scanner runs a full scan when the watch asks for it, at most every 100 ms", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  const before = world.scans;
  world.host.watches.rescan();
  await world.settle();
  assertEquals(world.scans - before, 1, "the first time at once");
  for (let passedMs = 0; passedMs < 1000; passedMs += 10) {
    world.host.watches.rescan();
    await world.advance(10);
  }
  assertLessOrEqual(world.scans - before, 11);
  assert(world.scans - before >= 10, "each time it is asked for, if late");
  const after = world.scans;
  await world.advance(100);
  assertLessOrEqual(world.scans - after, 1);
  await world.advance(FREQUENCY_MS);
  assertLessOrEqual(world.scans - after, 2);
});

Deno.test("Scanner runs a full scan when Kubernetes replaces a ConfigMap", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.config.write("..data_tmp", "");
  world.config.move("..data_tmp", "..data");
  // The name itself is a symbolic link through ..data, so the watch does not report it.
  world.host.watches.isSilent = true;
  world.config.write("web", config("nginx"));
  await world.advance(200);
  assertEquals(world.take(), ["web wanted nginx"]);
});

Deno.test("Scanner logs once that it cannot watch, continues with full scans, and tries again", async () => {
  await using world = new ScannerWorld();
  const { watches } = world.host;
  watches.fault = "no inotify instance is left";
  await world.start();
  await world.advance(3 * FREQUENCY_MS);
  assertEquals(world.log.take(), [`WARN ${NO_WATCH}: no inotify instance is left; ${UNTIL_THEN}`]);
  assertEquals([watches.asked, watches.made], [world.scans, 0]);
  world.config.post("web", config("httpd"));
  await world.advance(FREQUENCY_MS + 100);
  assertEquals(world.take(), ["web wanted httpd"]);
  watches.fault = null;
  await world.advance(FREQUENCY_MS);
  assertEquals(watches.made, 1);
  world.config.post("web", config("nginx"));
  await world.settle();
  assertEquals(world.take(), ["web wanted nginx"]);
  assertEquals(world.log.take(), []);
});

Deno.test("Scanner creates a new watch after one ended, and misses no change", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  const { watches } = world.host;
  watches.isSilent = true;
  world.config.write("web", config("nginx"));
  watches.isSilent = false;
  watches.fail("it ended");
  assertEquals(world.log.take(), [`WARN ${NO_WATCH}: it ended; ${UNTIL_THEN}`]);
  await world.advance(FREQUENCY_MS + 100);
  assertEquals(world.take(), ["web wanted nginx"]);
  assertEquals([watches.made, watches.open], [2, 1]);
  world.config.post("web", config("lighttpd"));
  await world.settle();
  assertEquals(world.take(), ["web wanted lighttpd"]);
});

Deno.test("Scanner watches a directory that replaces one that it watched", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  const { watches } = world.host;
  world.config.replace({ web: config("httpd") });
  world.messages.replace();
  world.config.post("web", config("nginx"));
  await world.settle();
  assertEquals(world.take(), [], "the old watch is silent");
  await world.advance(FREQUENCY_MS + 100);
  assertEquals(world.take(), ["web wanted nginx"]);
  assertEquals([watches.made, watches.open], [2, 1]);
  world.config.post("web", config("lighttpd"));
  world.messages.post("1", restart("web"));
  await world.settle();
  assertEquals(world.take(), ["web wanted lighttpd", "web restart"]);
});

Deno.test("Scanner watches the directories that exist, and a missing one when it is back", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  const comeBack = world.config.vanish();
  await world.advance(2 * FREQUENCY_MS);
  assertEquals(world.host.watches.open, 1);
  world.messages.post("1", restart("web"));
  await world.settle();
  assertEquals(world.take(), ["web restart"]);
  comeBack();
  await world.advance(FREQUENCY_MS);
  world.config.post("web", config("nginx"));
  await world.settle();
  assertEquals(world.take(), ["web wanted nginx"]);
});

Deno.test("Scanner applies a config that is renamed into place during a scan before the rest of that scan", async () => {
  const configs = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`web${index}`, config("httpd")]));
  await using world = new ScannerWorld({ configs });
  world.config.costMs = 1;
  world.host.clock.holdsYields = true;
  await world.start();
  const before = world.take().length;
  assert(before < 20);
  world.config.post("db", config("postgres"));
  world.host.clock.holdsYields = false;
  await world.settle();
  assertEquals(world.take().indexOf("db wanted postgres"), 0);
});
