import { assert, assertEquals, assertLess } from "@std/assert";
import { config, FREQUENCY_MS, restart, RESTART_GAP_MS, ScannerWorld } from "./worlds.ts";

// After "add web; restart web", in any order, web must run, and no missing process may be logged.

for (const isSilent of [false, true]) {
  const how = isSilent ? "without a watch" : "with a watch";
  for (const [what, message] of [["RESTART", restart("web")], ["RESTART-ALL", '{"type": "RESTART-ALL"}']] as const) {
    for (const [order, isConfigFirst] of [["after", true], ["before", false]] as const) {
      for (const place of ["post", "write"] as const) {
        const done = place === "post" ? "renamed into place" : "written in place";
        Deno.test(`Messages applies a ${what} that arrives ${order} a config that is ${done}, ${how}`, async () => {
          await using world = await ScannerWorld.idle();
          world.host.watches.isSilent = isSilent;
          if (isConfigFirst) world.config[place]("web", config("httpd"));
          world.messages[place]("1", message);
          if (!isConfigFirst) world.config[place]("web", config("httpd"));
          await world.advance(FREQUENCY_MS + 200);
          assertEquals(world.take(), ["web wanted httpd", "web restart"]);
          assertEquals(world.log.count("no such process"), 0);
          assertEquals(world.messages.names, []);
        });
      }
    }
  }
}

Deno.test("Messages scans the config that a message names even if the watch reported only the message", async () => {
  await using world = await ScannerWorld.idle();
  world.host.watches.isSilent = true;
  world.config.write("web", config("httpd"));
  world.host.watches.isSilent = false;
  world.messages.post("1", restart("web"));
  await world.settle();
  assertEquals([world.take(), world.messages.names], [[], ["1"]]);
  await world.advance(100);
  assertEquals([world.take(), world.messages.names], [["web wanted httpd", "web restart"], []]);
});

Deno.test("Messages restarts a member of a group whose config was just renamed into place", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.host.watches.isSilent = true;
  world.config.post("web", config("a", { group: ["front"] }));
  world.host.watches.isSilent = false;
  world.messages.post("1", '{"type": "RESTART-GROUP", "group": "front"}');
  await world.advance(100);
  assertEquals(world.take(), ["web wanted a", "web restart"]);
});

Deno.test("Messages waits until the config that a message names has settled", async () => {
  await using world = await ScannerWorld.idle({ web: config("a"), db: config("b") });
  world.config.write("web", "");
  world.messages.post("1", restart("web"));
  world.messages.post("2", restart("db"));
  await world.advance(60);
  world.config.write("web", config("c"));
  await world.advance(99);
  assertEquals([world.take(), world.messages.names], [[], ["1", "2"]]);
  await world.advance(1);
  assertEquals(world.take(), ["web wanted c", "web restart", "db restart"]);
  await world.settle();
  assertEquals(world.messages.names, []);
});

Deno.test("Messages does not wait for a config that no message names", async () => {
  await using world = await ScannerWorld.idle({ web: config("a"), db: config("b") });
  world.config.write("web", "");
  world.messages.post("1", restart("db"));
  await world.settle();
  assertEquals([world.take(), world.messages.names], [["db restart"], []]);
});

Deno.test("Messages does not wait forever for a config that never settles", async () => {
  for (const message of [restart("web"), '{"type": "RESTART-ALL"}']) {
    await using world = await ScannerWorld.idle({ web: config("a") });
    const start = world.host.clock.now();
    world.messages.write("1", message);
    let size = 0;
    while (world.messages.names.length > 0 && world.host.clock.now() < start + 5000) {
      world.config.write("web", "x".repeat(++size));
      await world.advance(60);
    }
    assert(size > 2, "it waits at first");
    assertLess(world.host.clock.now() - start, 2000);
    assertEquals(world.take(), ["web restart"]);
  }
});

Deno.test("Messages waits as long for the next config that never settles as for the first", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  const waits: number[] = [];
  for (let round = 0; round < 3; round++) {
    const start = world.host.clock.now();
    world.messages.post("1", restart("web"));
    for (let size = 1; size < 100 && world.messages.names.length > 0; size++) {
      world.config.write("web", "x".repeat(size));
      await world.advance(60);
    }
    waits.push(world.host.clock.now() - start);
    assertEquals(world.messages.names, []);
    await world.advance(FREQUENCY_MS);
  }
  assertEquals(new Set(waits).size, 1, waits.join());
});

Deno.test("Messages uses the known configs while the config directory is missing", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.config.vanish();
  await world.advance(FREQUENCY_MS);
  for (const message of [restart("web"), '{"type": "RESTART-ALL"}']) {
    world.messages.post("1", message);
    await world.settle();
    assertEquals(world.take(), ["web restart"]);
    await world.advance(2 * RESTART_GAP_MS);
  }
});

Deno.test("Messages uses the last valid config while the file is invalid", async () => {
  await using world = await ScannerWorld.idle({ web: config("a") });
  world.config.post("web", "{");
  world.messages.post("1", restart("web"));
  await world.settle();
  assertEquals(world.take(), ["web restart"]);
});

Deno.test("Messages acts on nothing after the scanner is closed during a scan", async () => {
  const world = await ScannerWorld.idle({ web: config("a") });
  world.host.watches.isSilent = true;
  for (let index = 0; index < 1000; index++) world.messages.post(`${1000 + index}`, restart("web"));
  world.host.clock.holdsYields = true;
  await world.advance(FREQUENCY_MS);
  const { read } = world.messages.calls;
  assert(read > 0 && read < 1000);
  assertEquals(world.take(), ["web restart"]);
  world.scanner.close();
  world.host.clock.holdsYields = false;
  await world.advance(FREQUENCY_MS);
  assertEquals([world.take(), world.messages.names.length], [[], 1000 - read], "only what was acted on is removed");
  assert(world.hasEnded);
});
