import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { config, FREQUENCY_MS, restart, ScannerWorld } from "./worlds.ts";

Deno.test("Scanner logs once that watches end as soon as they are created", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  const { clock, watches } = world.host;
  const watch = watches.watch.bind(watches);
  watches.watch = (paths, sink) => {
    clock.after(1, () => watches.fail("it ended"));
    return watch(paths, sink);
  };
  watches.fail("it ended");
  const { scans } = world;
  await world.advance(10 * FREQUENCY_MS);
  assertEquals(world.log.count("cannot watch the directories"), 1);
  assertLessOrEqual(world.scans - scans, 12, "and looks at everything no more often for it");
});

Deno.test("Messages reads no message after the scanner is closed", async () => {
  const world = await ScannerWorld.idle({ web: config("a") });
  world.host.watches.isSilent = true;
  for (let index = 0; index < 1000; index++) world.messages.post(`${1000 + index}`, restart("web"));
  world.host.clock.holdsYields = true;
  await world.advance(FREQUENCY_MS);
  world.scanner.close();
  const calls = () => [world.messages.calls.names, world.messages.calls.read, world.config.callCount];
  const before = calls();
  world.host.clock.holdsYields = false;
  await world.advance(FREQUENCY_MS);
  assert(world.hasEnded);
  assertEquals(calls(), before);
});

Deno.test("Scanner discards a running scan of a directory that replaced its own when it is closed", async () => {
  const configs = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`web${index}`, config("httpd")]));
  const world = await ScannerWorld.idle(configs);
  const { clock } = world.host;
  world.config.replace(configs);
  world.config.costMs = 1;
  clock.holdsYields = true;
  // A scan of some names finds that all must be scanned.
  world.host.watches.touched(world.config, "web1");
  await world.settle();
  assertEquals(clock.yields, 1);
  const calls = world.config.callCount;
  world.scanner.close();
  clock.holdsYields = false;
  await world.advance(FREQUENCY_MS);
  assert(world.hasEnded);
  assertEquals(world.config.callCount, calls);
});

Deno.test("Messages waits for a config to settle, however often the watch reports others", async () => {
  await using world = await ScannerWorld.idle();
  world.config.write("web", config("httpd"));
  world.messages.post("1", restart("web"));
  for (let index = 0; index < 40; index++) {
    await world.advance(2);
    world.config.write(`other${index}`, config("sleep"));
  }
  await world.advance(1000);
  assertEquals(world.log.count("no such process"), 0);
  assertEquals(world.take().filter((post) => post.startsWith("web")), ["web wanted httpd", "web restart"]);
});

Deno.test("Messages waits for a config to settle, however many invalid messages wait", async () => {
  await using world = await ScannerWorld.idle();
  for (let index = 0; index < 300; index++) world.messages.write(`b${1000 + index}`, "{");
  await world.advance(90);
  world.config.write("web", config("httpd"));
  for (let index = 0; index < 256; index++) world.messages.post(`a${1000 + index}`, restart("web"));
  await world.advance(1000);
  assertEquals(world.log.count("no such process"), 0);
});

Deno.test("Messages forgets that it waited when the messages are removed", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.config.write("web", "");
  world.messages.post("1", restart("web"));
  await world.settle();
  world.messages.remove("1");
  await world.advance(FREQUENCY_MS);
  const { names } = world.messages.calls;
  for (let index = 0; index < 20; index++) {
    world.config.write("web", config(`b${index}`));
    await world.advance(110);
  }
  assertLessOrEqual(world.messages.calls.names - names, 1);
});

Deno.test("Messages logs again that messages cannot be removed after they could be removed", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  for (const fault of ["read-only file system", null, "read-only file system"]) {
    world.messages.irremovable = fault;
    world.messages.post("1", restart("web"));
    await world.settle();
  }
  assertEquals(world.log.count("cannot remove messages: "), 2);
});

Deno.test("Messages asks for few restarts, however many messages ask for the same restart", async () => {
  const configs = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`web${index}`, config("httpd")]));
  await using world = await ScannerWorld.idle(configs);
  world.host.watches.isSilent = true;
  for (let index = 0; index < 10_000; index++) world.messages.write(`${10_000 + index}`, '{"type": "RESTART-ALL"}');
  await world.advance(FREQUENCY_MS);
  assertEquals(world.messages.names, []);
  assertLessOrEqual(world.take().length, 100 * 40);
});
