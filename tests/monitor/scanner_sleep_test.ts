import { assertEquals } from "@std/assert";
import { config, FREQUENCY_MS, ScannerWorld } from "./worlds.ts";

// A directory may disappear before a name in it has settled. The scanner must not wake up again and again for it.

Deno.test("Scanner sleeps when the config directory disappears before a config has settled", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.host.clock.maxOperations = 10_000;
  world.config.remove("web");
  await world.advance(50);
  world.config.vanish();
  await world.advance(2 * FREQUENCY_MS);
  assertEquals(world.take(), []);
});

Deno.test("Scanner sleeps when an empty directory replaces the config directory before a config has settled", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.host.clock.maxOperations = 10_000;
  world.config.write("web", "");
  await world.advance(50);
  world.config.replace();
  await world.advance(2 * FREQUENCY_MS);
  assertEquals(world.take(), []);
});

Deno.test("Scanner applies a config that had not settled when the directory is back", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.host.clock.maxOperations = 10_000;
  world.config.write("web", config("nginx"));
  await world.advance(50);
  const comeBack = world.config.vanish();
  await world.advance(2 * FREQUENCY_MS);
  comeBack();
  await world.advance(FREQUENCY_MS + 100);
  assertEquals(world.take(), ["web wanted nginx"]);
});

Deno.test("Scanner lets other tasks run when a scan takes longer than the interval", async () => {
  const world = new ScannerWorld({ frequencyMs: 100, configs: { web: config("httpd") } });
  const { clock } = world.host;
  let scans = 0;
  world.messages.onCall = (operation) => {
    if (operation !== "names") return;
    clock.work(150);
    if (++scans === 1000) throw new Error("Nobody else had a turn");
  };
  // Like a signal.
  clock.after(1000, () => world.scanner.close());
  await world.start();
  assertEquals([world.error, world.hasEnded], [null, true]);
});
