import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { lstat } from "../../host/files/lstat.ts";
import { isAlive, tempDir, until } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { MONITOR_PERMISSIONS, namesIn, place, runTool, sleeper } from "./tools.ts";

for (const permissions of [["-A"], MONITOR_PERMISSIONS]) {
  const how = permissions.length === 1 ? "with --allow-all" : "without --allow-all";

  Deno.test(`a second monitor with the same pid directory does not start, and ends no process (${how})`, async () => {
    using other = tempDir();
    place(other.dir("config"), "web", sleeper(other));
    await using colony = new Colony({ permissions, config: { web: { args: ["sleep", "1000"], dir: other.path } } });
    const pid = await colony.started("web");
    const places = ["--config", other.file("config"), "--messages", other.dir("messages")];
    const second = await runTool("monitor/mod.ts", [...places, "--pid", colony.pids], permissions);
    assertEquals([second.code, isAlive(pid)], [1, true]);
    assertStringIncludes(second.stderr, `Cannot lock "${colony.pids}": another monitor keeps its pid files there`);
    assertEquals(namesIn(other.file("messages")), []);
    assertEquals([colony.pidsOf("web"), Deno.readTextFileSync(`${colony.pids}/web`)], [[pid], `${pid}`]);
  });

  Deno.test(`the monitor locks its pid directory again after it was removed (${how})`, async () => {
    using other = tempDir();
    await using colony = new Colony({ permissions, args: ["--frequency", "0.2"], config: { web: { args: ["cat"] } } });
    const pid = await colony.started("web");
    Deno.removeSync(colony.pids, { recursive: true });
    await until("it is locked", () => lstat(join(colony.pids, ".lock")) !== null);
    const places = ["--config", other.dir("config"), "--messages", other.dir("messages")];
    const second = await runTool("monitor/mod.ts", [...places, "--pid", colony.pids], permissions);
    assertEquals([second.code, isAlive(pid)], [1, true]);
  });

  Deno.test(`two monitors take no message twice when one's messages directory becomes the other's (${how})`, async () => {
    const options = { permissions, args: ["--frequency", "0.2"] };
    await using one = new Colony({ ...options, config: { web: { args: ["sleep", "1000"], of: "one" } } });
    await using two = new Colony({ ...options, config: { web: { args: ["sleep", "1000"], of: "two" } } });
    const first = await one.started("web");
    await two.started("web");
    Deno.renameSync(one.messages, one.dir.file("aside"));
    Deno.symlinkSync(two.messages, one.messages);
    await one.waitFor(/ERROR cannot lock .*messages: another monitor uses this messages directory/);
    // It keeps its lock while it is stopped.
    Deno.kill(two.process.pid, "SIGSTOP");
    place(two.messages, "m", '{"type": "RESTART-ALL"}');
    for (let scan = 0; scan < 3; scan++) {
      // A full scan restores the missing file.
      Deno.removeSync(join(one.pids, "web"));
      await until("one has looked", () => lstat(join(one.pids, "web")) !== null);
    }
    Deno.kill(two.process.pid, "SIGCONT");
    await two.started("web", 2);
    assertEquals([one.pidsOf("web"), one.count(/INFO message /), isAlive(first)], [[first], 0, true]);
    // Once the other monitor is gone, the first one takes its messages.
    assertEquals(await two.stop(), 0);
    place(two.messages, "last", '{"type": "RESTART-ALL"}');
    await one.started("web", 2);
  });
}
