import { assertEquals, assertMatch } from "@std/assert";
import { ALL, endAll, HAS_CGROUPS, running, uniqueSleep, untilRunning } from "./escapes.ts";
import { Colony } from "./harness.ts";
import { rested, sh, signalIfThere } from "./tools.ts";

/** A program that goes to the background, as daemons do. */
function daemon(sleep: string, code = 0): Record<string, unknown> {
  const args = sh(`(setsid ${sleep} > /dev/null 2>&1 &); exit ${code}`);
  return { args, env: { PATH: "/bin:/usr/bin" }, "ncolony.monitor": { daemonizes: true, kill_time: 0.5 } };
}

function test(name: string, fn: (colony: Colony, sleep: string) => Promise<void>): void {
  Deno.test({
    name: `${name}${HAS_CGROUPS ? "" : " (skipped: needs cgroups)"}`,
    ignore: !HAS_CGROUPS,
    fn: async () => {
      const sleep = uniqueSleep();
      await using colony = new Colony({ permissions: ALL });
      try {
        await fn(colony, sleep);
      } finally {
        await endAll(sleep);
      }
    },
  });
}

test("a program that daemonizes runs until it ends, and its pid file names what is left", async (colony, sleep) => {
  colony.put("web", daemon(sleep));
  const first = await colony.started("web");
  await colony.waitFor(/INFO web: its first process exited with 0, and pid (\d+) runs in the background$/);
  const [pid] = await running(sleep);
  assertEquals(await colony.pidFile("web", first), pid);
  // Longer than a restart would take.
  await rested();
  assertEquals([colony.pidsOf("web").length, await running(sleep)], [1, [pid]]);
  signalIfThere(pid!, "SIGKILL");
  await colony.waitFor(/WARN web: running -> stopping \(exit status unknown \(it went to the background\) after .*\)$/);
  await colony.started("web", 2);
  await untilRunning(sleep, 1);
  assertEquals(await colony.stop(), 0);
  assertEquals(await running(sleep), []);
});

test("a program that daemonizes is restarted and stopped as a whole", async (colony, sleep) => {
  colony.put("web", daemon(sleep));
  for (let nth = 1; nth <= 3; nth++) {
    await colony.waitFor(/runs in the background$/, nth);
    await rested();
    colony.put("web", { ...daemon(sleep), version: nth });
    await colony.started("web", nth + 1);
  }
  await untilRunning(sleep, 1);
  colony.remove("web");
  await colony.waitFor(/INFO web: stopping -> gone /);
  assertEquals(await running(sleep), []);
});

test("a program that daemonizes but exits with another code than 0 has crashed", async (colony, sleep) => {
  colony.put("web", daemon(sleep, 3));
  const line = await colony.waitFor(/WARN web: running -> stopping \((.*)\)$/);
  assertMatch(line[1]!, /^exit code 3 after /);
  await colony.waitFor(/INFO web: stopping -> waiting for /);
  assertEquals(await running(sleep), []);
});
