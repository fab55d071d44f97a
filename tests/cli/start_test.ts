import { assertEquals, assertMatch } from "@std/assert";
import { tempDir } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { runTool } from "./tools.ts";

Deno.test("a monitor that cannot start reports the reason in one line", async () => {
  await using colony = new Colony({ config: { web: { args: ["cat"] } } });
  await colony.started("web");
  using dir = tempDir();
  const [config, messages, none] = [dir.dir("config"), dir.dir("messages"), dir.file("none")];
  const start = (...argv: string[]) => runTool("monitor/mod.ts", argv);
  const results = await Promise.all([
    start("--config", config, "--messages", colony.messages),
    start("--config", none, "--messages", messages),
    start("--config", config, "--messages", none),
    start("--config", config, "--messages", config),
  ]);
  for (const { code, stderr } of results) {
    assertEquals(code, 1);
    assertMatch(stderr, /^ncolony-monitor: [^\n]*\n$/);
  }
});
