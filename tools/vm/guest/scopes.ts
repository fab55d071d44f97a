import { assertEquals, assertMatch } from "@std/assert";
import { ESCAPES, running, uniqueSleep, untilRunning } from "../../../tests/cli/escapes.ts";
import { sh, signalIfThere } from "../../../tests/cli/tools.ts";
import { until } from "../../../tests/helpers.ts";
import { cgroupOf, pidsIn, read } from "./system.ts";
import { cgroupOfProcess, ENV, HOME, OWN, Unit } from "./unit.ts";

Deno.test("the first line of the log names the cgroup, below that which systemd delegates", async () => {
  await using unit = await Unit.start();
  assertEquals(await unit.scope(), `cgroup (${HOME})`);
  assertEquals(HOME.startsWith(`${OWN}/`), true);
  const pid = await unit.pid();
  assertEquals(cgroupOf(pid).startsWith(`${HOME}/`), true, "the monitor waits below it");
  unit.put("web", { args: ["sleep", "1000"], env: ENV });
  assertEquals(cgroupOf(await unit.started("web")), cgroupOfProcess("web"));
});

for (const scope of ["session", "group"] as const) {
  Deno.test(`"kill_scope": "${scope}" ends what is in the ${scope}, and nothing else`, async () => {
    await using unit = await Unit.start();
    for (const { name, args, isInSession } of ESCAPES) {
      // A login is a session of its own.
      if (name === "su -c") continue;
      const isReached = scope === "session" && isInSession;
      const [process, sleep] = [name.replace(" ", "-"), uniqueSleep()];
      unit.put(process, { args: args(sleep), env: ENV, "ncolony.monitor": { kill_scope: scope, kill_time: 0.3 } });
      await unit.started(process);
      await untilRunning(sleep, 1);
      await unit.end(process);
      const left = await running(sleep);
      // timeout(1) passes SIGTERM on to its command before it ends.
      if (name !== "timeout") assertEquals(left.length, isReached ? 0 : 1, name);
      else if (isReached) assertEquals(left, [], name);
      for (const pid of left) signalIfThere(pid, "SIGKILL");
    }
  });
}

Deno.test('"kill_scope": "process" ends the leader alone, and systemd the rest', async () => {
  await using unit = await Unit.start();
  const sleep = uniqueSleep();
  const monitor = { kill_scope: "process", kill_time: 0.3 };
  unit.put("web", { args: sh(`${sleep} & exec sleep 1000`), env: ENV, "ncolony.monitor": monitor });
  await unit.started("web");
  await untilRunning(sleep, 1);
  await unit.end("web");
  const [pid] = await running(sleep);
  assertEquals(cgroupOf(pid!).startsWith(`${OWN}/`), true);
  await unit[Symbol.asyncDispose]();
  assertEquals(await running(sleep), []);
});

Deno.test('"daemonizes": true follows a program into the background, by its cgroup', async () => {
  await using unit = await Unit.start();
  const sleep = uniqueSleep();
  const args = sh(`(setsid ${sleep} > /dev/null 2>&1 &); exit 0`);
  unit.put("web", { args, env: ENV, "ncolony.monitor": { daemonizes: true, kill_time: 0.3 } });
  const pid = await unit.numberIn(/ web: its first process exited with 0, and pid (\d+) runs in the background$/);
  assertEquals(await running(sleep), [pid]);
  assertEquals(pidsIn(cgroupOfProcess("web")), [pid]);
  signalIfThere(pid, "SIGKILL");
  await unit.started("web", 2);
  await untilRunning(sleep, 1);
  await unit.end("web");
  assertEquals(await running(sleep), []);
});

Deno.test("a monitor under the monitor has its cgroups in its own, and ends with everything in them", async () => {
  await using unit = await Unit.start();
  const sleep = uniqueSleep();
  for (const name of ["config", "messages"]) Deno.mkdirSync(`/run/ncolony/inner/${name}`, { recursive: true });
  const web = { args: sh(`setsid ${sleep} & exec sleep 1000`), env: ENV, "ncolony.monitor": { limits: { pids: 50 } } };
  Deno.writeTextFileSync("/run/ncolony/inner/config/web", JSON.stringify(web));
  const places = ["--config", "/run/ncolony/inner/config", "--messages", "/run/ncolony/inner/messages"];
  const deno = ["/usr/local/bin/deno", "run", "--no-prompt", "--no-config", "--allow-all"];
  unit.put("inner", {
    args: [...deno, "/usr/local/lib/ncolony/ncolony-monitor.js", ...places],
    env: { ...ENV, DENO_DIR: "/run/ncolony/inner/deno" },
    // The inner monitor may use the controllers that the outer one uses.
    "ncolony.monitor": { limits: { pids: 200 } },
  });
  const [, home] = await unit.waitFor(/^\[inner\] .*kill scope cgroup \((.*)\)$/);
  const cgroup = cgroupOfProcess("inner");
  assertMatch(home!, new RegExp(`^${cgroup}/ncolony:`));
  await untilRunning(sleep, 1);
  const inside = cgroupOfProcess("web", home);
  await until("the limit is set", () => read(inside, "pids.max") === "50");
  // Nothing asks it to stop, so it leaves its processes.
  signalIfThere(await unit.started("inner"), "SIGKILL");
  await unit.waitFor(/^\[inner\] .*kill scope cgroup /, 2);
  await untilRunning(sleep, 1);
  await unit.end("inner");
  assertEquals(await running(sleep), []);
  assertEquals(pidsIn(HOME), [await unit.pid()]);
});
