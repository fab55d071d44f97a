import { assertEquals, assertLess } from "@std/assert";
import { lstat } from "../../host/files/lstat.ts";
import { isAlive, tempDir, until } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { Program } from "./program.ts";
import { denoEnv, gone, MONITOR_PERMISSIONS, sh, signalIfThere, timeOf, toolCommand } from "./tools.ts";

/** A leader and a child that both ignore SIGTERM. */
const STUBBORN = sh(`trap '' TERM; sleep 1000 & echo "grandchild $!"; exec sleep 1000`);

/** A leader and a child that both exit on SIGTERM. */
const OBEDIENT = sh('sleep 1000 & echo "grandchild $!"; exec sleep 1000');

/** Returns the pids of a process and of the child that it reports. */
async function groupOf(colony: Colony, name: string): Promise<[leader: number, grandchild: number]> {
  const [, grandchild] = await colony.waitFor(new RegExp(`^\\[${name}\\] grandchild (\\d+)$`));
  return [await colony.started(name), Number(grandchild)];
}

/** Returns the transitions of a process, in order. */
function stepsOf(colony: Colony, name: string): string[] {
  const pattern = new RegExp(` ${name}: (\\w+ -> \\w+)`);
  return colony.stderr.lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
}

Deno.test("the stop signal, and SIGKILL after the kill time, reach the whole group before the process goes on", async () => {
  await using colony = new Colony({
    args: ["--killtime", "0.5"],
    config: {
      removed: { args: STUBBORN },
      changed: { args: STUBBORN },
      obedient: { args: OBEDIENT, "ncolony.monitor": { kill_time: 1000 } },
    },
  });
  const pids = [];
  for (const name of ["removed", "changed", "obedient"]) pids.push(...await groupOf(colony, name));
  assertEquals(pids.map(isAlive), [true, true, true, true, true, true]);
  colony.remove("removed");
  colony.put("changed", { args: ["cat"] });
  colony.remove("obedient");
  const asked = await colony.waitFor(/removed: running -> stopping \(unwanted\)/);
  const killed = await colony.waitFor(/removed: stopping -> killing \(kill time expired\)/);
  assertLess(450, timeOf(killed.input) - timeOf(asked.input));
  await colony.started("changed", 2);
  await gone(...pids);
  await colony.waitFor(/removed: killing -> gone/);
  await colony.waitFor(/obedient: stopping -> gone/);
  const [, ...steps] = stepsOf(colony, "changed");
  assertEquals(steps, ["running -> stopping", "stopping -> killing", "killing -> running"]);
  assertEquals(stepsOf(colony, "obedient"), ["gone -> running", "running -> stopping", "stopping -> gone"]);
});

Deno.test("kill_time and stop_signal of a process apply to that process", async () => {
  const polite = sh('trap "echo was interrupted; exit 0" INT; trap "" TERM; echo ready; while :; do sleep 0.02; done');
  const stubborn = sh(`trap '' TERM; echo ready; exec sleep 1000`);
  await using colony = new Colony({
    args: ["--killtime", "1000"],
    config: {
      polite: { args: polite, "ncolony.monitor": { stop_signal: "SIGINT" } },
      brief: { args: stubborn, "ncolony.monitor": { kill_time: 0.1 } },
      hard: { args: stubborn, "ncolony.monitor": { stop_signal: "SIGKILL" } },
    },
  });
  for (const name of ["polite", "brief", "hard"]) {
    await colony.waitFor(new RegExp(`^\\[${name}\\] ready$`));
    colony.remove(name);
  }
  await colony.waitFor(/^\[polite\] was interrupted$/);
  await colony.waitFor(/polite: stopping -> gone/);
  await colony.waitFor(/brief: stopping -> killing \(kill time expired\)/);
  await colony.waitFor(/brief: killing -> gone/);
  await colony.waitFor(/hard: stopping -> gone/);
  assertEquals(colony.matching(/(polite|hard): stopping -> killing/), []);
  assertEquals(colony.pidsOf().map(isAlive), [false, false, false]);
});

Deno.test("kill_scope process ends only the leader", async () => {
  await using colony = new Colony({ args: ["-k", "1000"] });
  const ticks = colony.dir.write("ticks", "");
  const sizeNow = () => Deno.statSync(ticks).size;
  const script = `(while :; do echo >> '${ticks}'; sleep 0.02; done) & echo "grandchild $!"; exec sleep 1000`;
  colony.put("web", { args: sh(script), "ncolony.monitor": { kill_scope: "process" } });
  const [leader, grandchild] = await groupOf(colony, "web");
  try {
    colony.remove("web");
    await colony.waitFor(/web: stopping -> gone/);
    await gone(leader);
    const size = sizeNow();
    await colony.until("the grandchild goes on", () => sizeNow() > size + 1);
  } finally {
    // The grandchild leads no group. The harness kills the rest of its group.
    signalIfThere(grandchild, "SIGKILL");
  }
});

Deno.test("the last of several requests counts for a process that has not stopped yet", async () => {
  const stubborn = { args: sh("trap '' TERM; echo ready; exec sleep 1000") };
  await using colony = new Colony({ args: ["-k", "1000"], config: { web: stubborn, db: stubborn } });
  await colony.waitFor(/^\[\w+\] ready$/, 2);
  const [web, db] = [await colony.started("web"), await colony.started("db")];
  colony.put("web", { ...stubborn, version: 2 });
  colony.remove("db");
  await colony.waitFor(/web: running -> stopping \(config changed\)/);
  await colony.waitFor(/db: running -> stopping \(unwanted\)/);
  colony.put("web", { args: ["cat"], version: 3 });
  colony.send({ type: "RESTART", name: "web" });
  colony.put("db", { args: ["cat"] });
  await colony.fence();
  colony.remove("db");
  await colony.fence();
  for (const pid of [web, db]) signalIfThere(pid, "SIGKILL");
  await colony.waitFor(/db: stopping -> gone/);
  await colony.started("web", 2);
  await colony.fence();
  assertEquals([colony.pidsOf("web").length, colony.pidsOf("db")], [2, [db]]);
  assertEquals(colony.count(/^\[\w+\] ready$/), 2);
});

Deno.test("--stop-within limits the time of a stop, whatever the kill times are, and is logged at the start", async () => {
  const stubborn = { args: sh("trap '' TERM; echo ready; exec sleep 1000"), "ncolony.monitor": { kill_time: 60 } };
  await using colony = new Colony({ args: ["--stop-within", "2"], config: { web: stubborn } });
  await colony.waitFor(
    /WARN web: its kill time is 60 s, but all processes must end within 2 s when the monitor stops /,
  );
  await colony.waitFor(/^\[web\] ready$/);
  const pid = await colony.started("web");
  const begin = performance.now();
  assertEquals(await colony.stop(), 0);
  assertLess(performance.now() - begin, 20_000);
  await gone(pid);
  assertEquals(colony.count(/web: stopping -> killing \(kill time expired\)/), 1);
});

Deno.test("a monitor under a monitor stops within its own kill time, with all its processes", async () => {
  using inner = tempDir();
  inner.dir("config");
  inner.dir("messages");
  const stubborn = { args: sh("trap '' TERM; echo ready; exec sleep 1000"), "ncolony.monitor": { kill_time: 60 } };
  inner.write("config/web", JSON.stringify(stubborn));
  const places = ["--config", inner.file("config"), "--messages", inner.file("messages"), "--pid", inner.file("pids")];
  const monitor = {
    args: [...toolCommand("monitor/mod.ts", MONITOR_PERMISSIONS), ...places],
    env: denoEnv(),
    "ncolony.monitor": { kill_time: 3 },
  };
  await using colony = new Colony({ config: { inner: monitor } });
  await colony.waitFor(/^\[inner\] .*WARN web: its kill time is 60 s, .* within 3 s/);
  await colony.waitFor(/^\[inner\] \[web\] ready$/);
  const pid = Number(Deno.readTextFileSync(inner.file("pids", "web")));
  colony.remove("inner");
  await colony.waitFor(/inner: \w+ -> gone/);
  assertEquals(colony.matching(/inner: stopping -> killing/), []);
  await gone(pid);
});

for (const how of ["a stop", "a leftover process"] as const) {
  Deno.test(`SIGCONT lets a stopped process act on its stop signal (${how})`, async () => {
    using dir = tempDir();
    // Its stderr is a broken pipe once its monitor was killed.
    const script = `trap '' PIPE; trap 'echo done >"$1"; exit' TERM; echo ready; while :; do sleep 0.1; done`;
    const config = { web: { args: [...sh(script), "sh", dir.file("told")], "ncolony.monitor": { kill_time: 20 } } };
    await using colony = new Colony({ permissions: ["-A"], args: ["-k", "20"], config });
    await colony.waitFor(/^\[web\] ready$/);
    const pid = await colony.started("web");
    Deno.kill(-pid, "SIGSTOP");
    if (how === "a stop") colony.remove("web");
    else {
      colony.process.kill("SIGKILL");
      await colony.process.status;
    }
    await using next = how === "a stop" ? null : new Program([
      ...toolCommand("monitor/mod.ts", ["-A"]),
      ...colony.places,
      "--pid",
      colony.pids,
    ]);
    await until("it has acted", () => lstat(dir.file("told")) !== null);
    await next?.waitFor(/web: (stopping|gone) -> running/);
    assertEquals([...colony.lines, ...next?.lines ?? []].filter((line) => line.includes("killing")), []);
    for (const started of next?.lines.join("\n").matchAll(/, pid (\d+)$/gm) ?? []) {
      signalIfThere(-Number(started[1]), "SIGKILL");
    }
  });
}

Deno.test("a changed kill time applies to a stop under way, and each change logs when SIGKILL comes", async () => {
  await using colony = new Colony();
  const config = (killTime: number) => ({ args: STUBBORN, "ncolony.monitor": { kill_time: killTime } });
  colony.put("web", config(1000));
  await groupOf(colony, "web");
  colony.send({ type: "RESTART", name: "web" });
  await colony.waitFor(/ web: running -> stopping /);
  colony.send({ type: "RESTART", name: "web" });
  await colony.waitFor(/INFO web: still stopping, SIGKILL in (1000|99\d) s$/);
  colony.put("web", config(0.5));
  await colony.waitFor(/INFO web: still stopping, SIGKILL in 0(\.\d+)? s$/);
  await colony.waitFor(/ web: stopping -> killing \(kill time expired\)$/);
  await colony.started("web", 2);
});
