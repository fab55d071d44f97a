import { assertEquals } from "@std/assert";
import { config, FREQUENCY_MS, ScannerWorld } from "./worlds.ts";

// While a name has not settled, its directory may go: nobody may wait for that instant again and again.

Deno.test("Scanner sleeps when the config directory goes while a config has not settled", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.host.clock.patience = 10_000;
  world.config.remove("web");
  await world.advance(50);
  world.config.vanish();
  await world.advance(2 * FREQUENCY_MS);
  assertEquals(world.take(), []);
});

Deno.test("Scanner sleeps when the config directory cannot be listed while a config has not settled", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.host.clock.patience = 10_000;
  world.config.write("web", "");
  await world.advance(50);
  world.config.replace();
  await world.advance(2 * FREQUENCY_MS);
  assertEquals(world.take(), []);
});

Deno.test("Scanner takes what had not settled when the directory is back", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.host.clock.patience = 10_000;
  world.config.write("web", config("nginx"));
  await world.advance(50);
  const comeBack = world.config.vanish();
  await world.advance(2 * FREQUENCY_MS);
  comeBack();
  await world.advance(FREQUENCY_MS + 100);
  assertEquals(world.take(), ["web wanted nginx"]);
});

Deno.test("Scanner lets others have their turn when a look takes longer than the frequency", async () => {
  const world = new ScannerWorld({ frequencyMs: 100, configs: { web: config("httpd") } });
  const { clock } = world.host;
  let looks = 0;
  world.messages.onCall = (operation) => {
    if (operation !== "names") return;
    clock.work(150);
    if (++looks === 1000) throw new Error("Nobody else had a turn");
  };
  // As a signal comes.
  clock.after(1000, () => world.scanner.close());
  await world.start();
  assertEquals([world.error, world.hasEnded], [null, true]);
});
