import { assertEquals } from "@std/assert";
import { DEFAULTS } from "../../monitor/options.ts";
import { Colony } from "../../monitor/colony.ts";
import { FakeHost } from "./fake_host.ts";
import { config } from "./worlds.ts";

Deno.test("Colony holds its lock until every process that it started has ended", async () => {
  const host = new FakeHost();
  const output = {
    log: host.log,
    forChild: () => ({ stdout: () => {}, stderr: () => {}, end: () => {} }),
    flush: () => Promise.resolve(),
  };
  const colony = new Colony({ ...DEFAULTS, config: "/config", messages: "/messages" }, { host, output });
  host.children.script("web", { endsInMs: 3000 });
  host.config.write("web", config("httpd"));
  colony.start();
  await host.clock.advance(10);
  colony.stop();
  await host.clock.advance(2900);
  assertEquals([host.children.running(), host.locks.size], [["web"], 1]);
  await host.clock.advance(200);
  assertEquals(await colony.ended, 0);
  assertEquals([host.locks.size, host.watches.open], [0, 0]);
});
