import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { until } from "../../../tests/helpers.ts";
import { sh } from "../../../tests/cli/tools.ts";
import { cgroupOf, output, pidsIn, read, valueIn } from "./system.ts";
import { cgroupOfProcess, ENV, HOME, OWN, Unit } from "./unit.ts";

/** Is two processes that take ever more memory. */
const EATER = 'fork; my @all; while (1) { push @all, "x" x 1048576; select(undef, undef, undef, 0.1) }';

/** Starts processes, when the limit is in effect, until that is refused. */
const FORKER = '$| = 1; sleep 2; while (1) { my $pid = fork; if (!defined $pid) { print "refused\\n"; sleep 1000 } ' +
  "sleep 1000 if !$pid }";

Deno.test("limits.memory is memory.max, and a process that needs more is killed as a whole and restarted", async () => {
  await using unit = await Unit.start();
  const monitor = { limits: { memory: "32M" } };
  unit.put("web", { args: ["perl", "-e", EATER], env: ENV, "ncolony.monitor": monitor });
  await unit.started("web");
  const cgroup = cgroupOfProcess("web");
  await until("the limit is set", () => read(cgroup, "memory.max") !== "max");
  // The memory that the monitor left there, when it had waited there, comes on top.
  const max = Number(read(cgroup, "memory.max"));
  assert(max >= 32 * 1024 ** 2 && max < 64 * 1024 ** 2, `${max}`);
  assertEquals(read(cgroup, "memory.oom.group"), "1");
  await unit.waitFor(/ WARN web: out of memory: the kernel killed all of its processes$/);
  await unit.started("web", 2);
  await unit.end("web");
});

Deno.test("limits.pids is pids.max, and the log tells of refused forks", async () => {
  await using unit = await Unit.start();
  unit.put("web", { args: ["perl", "-e", FORKER], env: ENV, "ncolony.monitor": { limits: { pids: 10 } } });
  await unit.started("web");
  const cgroup = cgroupOfProcess("web");
  await unit.waitFor(/^\[web\] refused$/);
  assertEquals([read(cgroup, "pids.max"), read(cgroup, "pids.current")], ["10", "10"]);
  await unit.waitFor(/ WARN web: its limit of processes was reached once$/);
  assertEquals(valueIn(cgroup, "pids.events", "max"), 1);
});

Deno.test("limits.cpu is cpu.max, and a process that wants more is throttled", async () => {
  await using unit = await Unit.start();
  unit.put("web", { args: sh("while :; do :; done"), env: ENV, "ncolony.monitor": { limits: { cpu: 0.2 } } });
  await unit.started("web");
  const cgroup = cgroupOfProcess("web");
  await until("the limit is set", () => read(cgroup, "cpu.max") === "20000 100000");
  const [usedBefore, before] = [valueIn(cgroup, "cpu.stat", "usage_usec"), performance.now()];
  const throttled = valueIn(cgroup, "cpu.stat", "nr_throttled");
  await until("it is throttled", () => valueIn(cgroup, "cpu.stat", "nr_throttled") >= throttled + 30);
  const share = (valueIn(cgroup, "cpu.stat", "usage_usec") - usedBefore) / 1000 / (performance.now() - before);
  assert(share < 0.3, `it used ${share} of a processor`);
});

Deno.test("limits of a process do not hold for the monitor, which waits in another cgroup", async () => {
  await using unit = await Unit.start();
  const limits = { memory: "64M", cpu: 0.5, pids: 5 };
  for (const name of ["a", "b"]) unit.put(name, { args: ["sleep", "1000"], env: ENV, "ncolony.monitor": { limits } });
  for (const name of ["a", "b"]) await unit.started(name);
  await until("the limits are set", () => ["a", "b"].every((name) => read(cgroupOfProcess(name), "pids.max") === "5"));
  const room = cgroupOf(await unit.pid());
  assertMatch(room, new RegExp(`^${HOME}/[0-9.]+$`));
  const files = ["memory.max", "memory.oom.group", "cpu.max", "pids.max"];
  const none = ["max", "0", "max 100000", "max"];
  for (const cgroup of [room, HOME]) assertEquals(files.map((file) => read(cgroup, file)), none, cgroup);
  assertEquals(valueIn(room, "cpu.stat", "nr_throttled"), 0);
});

Deno.test("no cgroup that holds a process has controllers for the cgroups below it, as the kernel demands", async () => {
  await using unit = await Unit.start();
  unit.put("web", { args: ["sleep", "1000"], env: ENV, "ncolony.monitor": { limits: { pids: 5, cpu: 1 } } });
  await unit.started("web");
  await until("the limits are set", () => read(cgroupOfProcess("web"), "pids.max") === "5");
  for (const above of [OWN, HOME]) {
    assertEquals(read(above, "cgroup.procs"), "", above);
    assertEquals(read(above, "cgroup.subtree_control").split(" ").sort(), ["cpu", "memory", "pids"], above);
  }
  // This is why: no process can enter such a cgroup.
  const other = `${pidsIn(cgroupOfProcess("web"))[0]}`;
  assertThrows(() => Deno.writeTextFileSync(`${HOME}/cgroup.procs`, other), Error, "busy");
});

Deno.test("what a child uses is what the files of its cgroup say", async () => {
  const deno = ["/usr/local/bin/deno", "run", "--no-config", "--no-prompt", "--allow-all"];
  const place = ["--quiet", "--pipe", "--wait", "--collect", "--property=Delegate=yes"];
  const text = await output("systemd-run", ...place, ...deno, "/usr/local/lib/ncolony-test/usage.js");
  const { usage, before, files } = JSON.parse(text);
  assertEquals([usage.processes, files.processes], [3, 3]);
  // What this program used there, while it waited, is not the child's.
  const memory = files.memoryBytes - before.memoryBytes;
  assert(usage.memoryBytes > 36e6 && Math.abs(memory - usage.memoryBytes) < 8e6, text);
  const seconds = files.cpuSeconds - before.cpuSeconds;
  assert(usage.cpuSeconds > 0.5 && usage.cpuSeconds <= seconds && seconds < usage.cpuSeconds + 1, text);
});
