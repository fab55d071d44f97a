import { assertEquals } from "@std/assert";
import { config, FREQUENCY_MS, ScannerWorld } from "./worlds.ts";

Deno.test("Scanner sleeps when the messages directory disappears before a message has settled", async () => {
  await using world = await ScannerWorld.idle({ web: config("httpd") });
  world.host.clock.maxOperations = 10_000;
  world.messages.write("1", "{");
  await world.advance(50);
  const comeBack = world.messages.vanish();
  await world.advance(2 * FREQUENCY_MS);
  comeBack();
  await world.advance(2 * FREQUENCY_MS);
  assertEquals(world.messages.rejected, ["1"]);
});
