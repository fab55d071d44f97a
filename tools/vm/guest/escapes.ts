import { assertEquals } from "@std/assert";
import { ESCAPES, running, statesOf, uniqueSleep, untilRunning } from "../../../tests/cli/escapes.ts";
import { until } from "../../../tests/helpers.ts";
import { pidsIn } from "./system.ts";
import { cgroupOfProcess, cgroupsIn, ENV, HOME, Unit } from "./unit.ts";

/** How many times a process is restarted that must leave nothing. */
const RESTARTS = 50;

/** Doubles its processes again and again, up to its limit. */
const FORK_BOMB = "while (1) { fork; select(undef, undef, undef, 0.2) }";

/** The user of the fork bombs. */
const UID = 54_321;

/** Makes restarts fast. */
const HASTE = { "ncolony.monitor": { kill_time: 0.3 } };

/** A login leaves the cgroup. */
const INSIDE = ESCAPES.filter(({ name }) => name !== "su -c");

for (const { name, args } of INSIDE) {
  Deno.test(`everything that a process started by ${name} ends with its restart, and with its stop`, async () => {
    await using unit = await Unit.start();
    const sleep = uniqueSleep();
    for (let nth = 1; nth <= 3; nth++) {
      unit.put("web", { args: args(sleep), env: { ...ENV, N: `${nth}` }, ...HASTE });
      await unit.started("web", nth);
      await untilRunning(sleep, 1);
    }
    const cgroup = cgroupOfProcess("web");
    assertEquals(pidsIn(cgroup).length > 1, true, "it is seen in its cgroup");
    await unit.end("web");
    assertEquals(await running(sleep), []);
    assertEquals(pidsIn(cgroup), []);
  });
}

Deno.test(`${RESTARTS} restarts of processes that escape leave nothing`, async () => {
  await using unit = await Unit.start();
  const sleep = uniqueSleep();
  for (let nth = 1; nth <= Math.ceil(RESTARTS / INSIDE.length); nth++) {
    for (const { name, args } of INSIDE) {
      unit.put(name.replace(" ", "-"), { args: args(sleep), env: { ...ENV, N: `${nth}` }, ...HASTE });
    }
    for (const { name } of INSIDE) await unit.started(name.replace(" ", "-"), nth);
  }
  await untilRunning(sleep, INSIDE.length);
  // One for each, and that in which the monitor waits.
  await until("the old cgroups are gone", () => cgroupsIn(HOME).length === INSIDE.length + 1);
  for (const { name } of INSIDE) await unit.end(name.replace(" ", "-"));
  assertEquals(await running(sleep), []);
  assertEquals(pidsIn(HOME), [await unit.pid()]);
  assertEquals(cgroupsIn(HOME).length, 1);
});

for (
  const [what, before, monitor] of [
    ["limits.pids", [], { limits: { pids: 60 } }],
    ["RLIMIT_NPROC", ["prlimit", "--nproc=60"], {}],
  ] as const
) {
  Deno.test(`a fork bomb that is bounded by ${what} ends at once`, async () => {
    await using unit = await Unit.start();
    const bomb = ["setpriv", `--reuid=${UID}`, "--clear-groups", "perl", "-e", FORK_BOMB];
    unit.put("bomb", { args: [...before, ...bomb], env: ENV, "ncolony.monitor": { kill_time: 0.3, ...monitor } });
    await unit.started("bomb");
    await until("its limit is reached", () => pidsIn(cgroupOfProcess("bomb")).length >= 55);
    const cgroup = cgroupOfProcess("bomb");
    await unit.end("bomb");
    assertEquals(pidsIn(cgroup), []);
    assertEquals((await statesOf(UID)).filter((state) => !state.startsWith("Z")), []);
  });
}
