import { assertEquals } from "@std/assert";
import { running, uniqueSleep, untilRunning } from "../../../tests/cli/escapes.ts";
import { Program } from "../../../tests/cli/program.ts";
import { gone, place, sh } from "../../../tests/cli/tools.ts";
import { tempDir, until } from "../../../tests/helpers.ts";
import { output, pidsIn, read } from "./system.ts";
import { cgroupOfProcess, ENV, HOME, OWN, Unit } from "./unit.ts";

/** An unprivileged user of every Debian. */
const USER = "games";

const DENO = ["/usr/local/bin/deno", "run", "--no-prompt", "--no-config", "--allow-all"];

Deno.test("an unprivileged monitor uses the cgroup that systemd delegates to its user", async () => {
  await using unit = await Unit.start({ dropIn: `User=${USER}` });
  const sleep = uniqueSleep();
  assertEquals(await unit.scope(), `cgroup (${HOME})`);
  const monitor = { kill_time: 0.3, limits: { pids: 50, memory: "64M", cpu: 0.5 } };
  unit.put("web", { args: sh(`setsid ${sleep} & exec sleep 1000`), env: ENV, "ncolony.monitor": monitor });
  const pid = await unit.started("web");
  await untilRunning(sleep, 1);
  assertEquals(await output("ps", "-o", "user=", "-p", `${pid}`), USER);
  await until("the limits are set", () => read(cgroupOfProcess("web"), "pids.max") === "50");
  assertEquals(read(cgroupOfProcess("web"), "cpu.max"), "50000 100000");
  await unit.end("web");
  assertEquals(await running(sleep), []);
  assertEquals(pidsIn(OWN), [await unit.pid()]);
});

Deno.test("an unprivileged monitor without Delegate=yes says so in its first line, and ends sessions", async () => {
  await using unit = await Unit.start({ dropIn: `User=${USER}\nDelegate=no` });
  const why = `cgroup v2 is not delegated: cannot create a cgroup in ${OWN}: permission denied`;
  assertEquals(await unit.scope(), `session (${why})`);
  const sleep = uniqueSleep();
  const args = ["bash", "-c", `set -m; ${sleep} & wait`];
  unit.put("web", { args, env: ENV, "ncolony.monitor": { kill_time: 0.3 } });
  await unit.started("web");
  await untilRunning(sleep, 1);
  await unit.end("web");
  assertEquals(await running(sleep), []);
  unit.put("limited", { args: ["cat"], "ncolony.monitor": { limits: { pids: 50 } } });
  await unit.waitFor(
    / WARN limited: invalid config: "ncolony.monitor.limits.pids" cannot be limited: cgroup v2 is not /,
  );
});

Deno.test("a monitor of root without Delegate=yes keeps its cgroups and limits when systemd reloads", async () => {
  await using unit = await Unit.start({ dropIn: "Delegate=no" });
  assertEquals(await unit.scope(), `cgroup (${HOME})`);
  const sleep = uniqueSleep();
  const monitor = { kill_time: 0.3, limits: { pids: 50 } };
  unit.put("web", { args: sh(`setsid ${sleep} & exec sleep 1000`), env: ENV, "ncolony.monitor": monitor });
  await unit.started("web");
  await until("the limit is set", () => read(cgroupOfProcess("web"), "pids.max") === "50");
  await output("systemctl", "daemon-reload");
  assertEquals(read(cgroupOfProcess("web"), "pids.max"), "50");
  await unit.end("web");
  assertEquals(await running(sleep), []);
});

Deno.test("the next monitor in a scope ends, by its cgroup, what a killed one left", async () => {
  using dir = tempDir();
  const sleep = uniqueSleep();
  const [config, messages] = [dir.dir("config"), dir.dir("messages")];
  // Nothing but the cgroup tells whose these are.
  const args = sh(`setsid env -i ${sleep} & exec env -i sleep 1000`);
  place(config, "web", JSON.stringify({ args, env: ENV }));
  const monitor = [...DENO, "/usr/local/lib/ncolony/ncolony-monitor.js", "--config", config, "--messages", messages];
  const scope = ["systemd-run", "--quiet", "--scope", "--unit=by-hand", "--property=Delegate=yes"];
  await using hand = new Program([...scope, ...sh('for nth in 1 2; do "$@"; done'), "sh", ...monitor]);
  const [, home] = await hand.waitFor(/, kill scope cgroup \((\/sys\/fs\/cgroup\/system.slice\/by-hand.scope\/.*)\)$/);
  const started = (nth: number) => hand.numberIn(/ web: \w+ -> running \(.*\), pid (\d+)$/, nth);
  const pid = await started(1);
  await untilRunning(sleep, 1);
  const left = pidsIn(cgroupOfProcess("web", home));
  assertEquals(left.toSorted(), [pid, ...await running(sleep)].toSorted());
  // The shell is in the cgroup above, so the kernel refuses controllers.
  place(config, "limited", JSON.stringify({ args: ["cat"], "ncolony.monitor": { limits: { pids: 50 } } }));
  await hand.waitFor(/ WARN limited: .* the pids controller cannot be enabled in .*by-hand.scope: .*busy/);
  Deno.kill(Number(await output("ps", "-o", "ppid=", "-p", `${pid}`)), "SIGKILL");
  await hand.waitFor(/, kill scope cgroup /, 2);
  await gone(...left);
  await started(2);
  await untilRunning(sleep, 1);
  const next = Number(await output("ps", "-o", "ppid=", "-p", `${await started(2)}`));
  Deno.kill(next, "SIGTERM");
  assertEquals(await hand.ended(), 0);
  assertEquals(await running(sleep), []);
});
