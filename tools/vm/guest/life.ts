import { lstat } from "../../../host/files/lstat.ts";
import { assertEquals } from "@std/assert";
import { running, uniqueSleep, untilRunning } from "../../../tests/cli/escapes.ts";
import { gone, sh } from "../../../tests/cli/tools.ts";
import { until } from "../../../tests/helpers.ts";
import { output, pidsIn, property, read } from "./system.ts";
import { cgroupOfProcess, ENV, HOME, NAME, OWN, Unit } from "./unit.ts";

/** A process that leaves its session, and that has a limit, so that controllers are enabled for it. */
function web(sleep: string): Record<string, unknown> {
  const monitor = { limits: { pids: 50 } };
  return { web: { args: sh(`setsid ${sleep} & exec sleep 1000`), env: ENV, "ncolony.monitor": monitor } };
}

Deno.test("systemctl stop ends everything, and leaves no cgroup", async () => {
  const sleep = uniqueSleep();
  await using unit = await Unit.start({ config: web(sleep) });
  await unit.started("web");
  await untilRunning(sleep, 1);
  const pids = pidsIn(OWN);
  assertEquals(pids.length, 3);
  await output("systemctl", "stop", NAME);
  await gone(...pids);
  assertEquals(lstat(OWN) !== null, false);
  assertEquals([await property(NAME, "ActiveState"), await property(NAME, "Result")], ["inactive", "success"]);
  await unit.waitFor(/ INFO web: stopping -> gone /);
  // The monitor itself has ended its processes.
  assertEquals(unit.count(/Killing process/), 0);
});

Deno.test("systemctl restart ends everything, and starts it again with its limits", async () => {
  const sleep = uniqueSleep();
  await using unit = await Unit.start({ config: web(sleep) });
  await unit.started("web");
  await untilRunning(sleep, 1);
  const before = pidsIn(OWN);
  await output("systemctl", "restart", NAME);
  await gone(...before);
  assertEquals(await unit.scope(2), `cgroup (${HOME})`);
  await unit.started("web", 2);
  await untilRunning(sleep, 1);
  await until("the limit is set", () => read(cgroupOfProcess("web"), "pids.max") === "50");
  assertEquals(pidsIn(OWN).length, 3);
});

Deno.test("systemd ends what a killed monitor leaves, and starts the next one, which has nothing to end", async () => {
  const sleep = uniqueSleep();
  await using unit = await Unit.start({ config: web(sleep) });
  await unit.started("web");
  await untilRunning(sleep, 1);
  for (let nth = 1; nth <= 2; nth++) {
    const before = pidsIn(OWN);
    Deno.kill(await unit.pid(), "SIGKILL");
    await gone(...before);
    assertEquals(await unit.scope(nth + 1), `cgroup (${HOME})`);
    await unit.started("web", nth + 1);
    await untilRunning(sleep, 1);
    await until("the limit is set", () => read(cgroupOfProcess("web"), "pids.max") === "50");
    assertEquals(await property(NAME, "NRestarts"), `${nth}`);
  }
  assertEquals(unit.count(/previous monitor/), 0);
  await unit.end("web");
  assertEquals(await running(sleep), []);
});

Deno.test("a child that stops everything with its cgroup is no end of the monitor", async () => {
  await using unit = await Unit.start();
  // By then the monitor is in another one.
  const script = `sleep 2; echo 1 > "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/cgroup.kill"`;
  unit.put("web", { args: sh(script), env: ENV });
  await unit.waitFor(/ WARN web: running -> .*SIGKILL/);
  await unit.started("web", 2);
  assertEquals(await property(NAME, "NRestarts"), "0");
});
