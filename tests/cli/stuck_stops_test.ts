import { assert, assertEquals, assertLess } from "@std/assert";
import { isAlive, tempDir } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { hold, possibleHolds } from "./stuck.ts";
import { gone, sh } from "./tools.ts";

const [HOLD] = await possibleHolds().then((holds) => holds.filter((how) => how !== "traced"));
const ignore = HOLD === undefined;

/** How much later than expected a monitor may exit here, in milliseconds. */
const SLACK_MS = 10_000;

Deno.test({
  name: "a stopping monitor exits with 1, 5 s after SIGKILL, if a process survives (skipped if none can)",
  ignore,
  fn: async () => {
    const killTimeMs = 500;
    await using colony = new Colony({ args: ["-k", `${killTimeMs / 1000}`], config: { web: { args: ["cat"] } } });
    const web = await colony.started("web");
    await using _held = await hold(web, HOLD!);
    const begin = performance.now();
    assertEquals(await colony.stop(), 1);
    const tookMs = performance.now() - begin;
    assertLess(killTimeMs + 5000 - 100, tookMs);
    assertLess(tookMs, killTimeMs + 5000 + SLACK_MS);
    assertEquals(colony.count(/ ERROR web: has not exited 5 s after SIGKILL and is left behind: /), 1);
    assertEquals(isAlive(web), true);
  },
});

Deno.test({
  name: "a monitor exits with 1, 5 s after a second signal, if a process survives (skipped if none can)",
  ignore,
  fn: async () => {
    const config = { web: { args: ["cat"] }, db: { args: sh("trap '' TERM; echo ready; while :; do sleep 1; done") } };
    await using colony = new Colony({ args: ["-k", "1000"], config });
    const [web, db] = [await colony.started("web"), await colony.started("db")];
    await colony.waitFor(/^\[db\] ready$/);
    await using _held = await hold(web, HOLD!);
    colony.process.kill("SIGTERM");
    await colony.waitFor(/web: running -> stopping/);
    // A second signal within a second would be the same request.
    await new Promise((resolve) => setTimeout(resolve, 1200));
    const begin = performance.now();
    assertEquals(await colony.stop(), 1);
    assertLess(performance.now() - begin, 5000 + SLACK_MS);
    assertEquals(colony.count(/web: stopping -> killing \(kill\)/), 1);
    assertEquals([web, db].map(isAlive), [true, false]);
  },
});

Deno.test({
  name: "the monitor names a leftover process that survives SIGKILL, and leaves it behind (skipped if none can)",
  ignore,
  fn: async () => {
    using dir = tempDir();
    const args = ["-k", "0.5", "--pid", dir.file("pids")];
    const config = { web: { args: ["cat"] } };
    await using first = new Colony({ args, config, permissions: ["-A"] });
    const web = await first.started("web");
    {
      await using held = await hold(web, HOLD!);
      first.process.kill("SIGKILL");
      await first.ended();
      await using second = new Colony({ args, config, permissions: ["-A"] });
      const [, told] = await second.waitFor(/ WARN web: has not exited 5 s after SIGKILL: (.*)$/);
      assertEquals(told, `pid ${web} (${held.state})`);
      await second.fence();
      assertEquals(second.pidsOf("web"), []);
      assertEquals(await second.stop(), 1);
      assertEquals(second.count(/ ERROR web: has not exited \d+ s after SIGKILL and is left behind: /), 1);
      assert(isAlive(web));
    }
    await gone(web);
  },
});
