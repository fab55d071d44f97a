import { assertEquals } from "@std/assert";
import { until } from "../helpers.ts";
import {
  ALL,
  cgroupsOf,
  endAll,
  ESCAPES,
  FORK_BOMB,
  HAS_CGROUPS,
  namesBelow,
  running,
  statesOf,
  uniqueSleep,
  untilRunning,
} from "./escapes.ts";
import { Colony } from "./harness.ts";
import { IS_ROOT, MONITOR_PERMISSIONS, run } from "./tools.ts";

/** The kill scopes that are tried: with all permissions, with those of the narrow monitor, and without cgroups. */
const MONITORS = [
  { scope: "cgroup", permissions: ALL, args: [] },
  { scope: "session", permissions: ALL, args: ["--kill-scope", "session"] },
  { scope: "session", permissions: MONITOR_PERMISSIONS, args: [] },
] as const;

for (const { scope, permissions, args } of MONITORS) {
  const how = `${scope}, ${permissions === ALL ? "--allow-all" : "narrow"}`;
  for (const { name, args: argsOf, isInSession } of ESCAPES) {
    const isReached = scope === "cgroup" || isInSession;
    const ignore = scope === "cgroup" && !HAS_CGROUPS || name === "su -c" && !IS_ROOT;
    Deno.test({
      name: `${isReached ? "everything ends" : "not everything ends"} that a process started by ${name} (${how})${
        ignore ? " (skipped: needs cgroups, or root)" : ""
      }`,
      ignore,
      fn: async () => {
        const sleep = uniqueSleep();
        await using colony = new Colony({ permissions, args: ["--killtime", "0.3", ...args] });
        try {
          for (let nth = 1; nth <= 3; nth++) {
            colony.put("web", { args: argsOf(sleep), env: { PATH: "/bin:/usr/bin", N: `${nth}` } });
            await colony.started("web", nth);
            await untilRunning(sleep, isReached ? 1 : nth);
          }
          colony.remove("web");
          await colony.waitFor(/INFO web: .* -> gone /);
          assertEquals((await running(sleep)).length, isReached ? 0 : 3);
          assertEquals(await colony.stop(), 0);
        } finally {
          await endAll(sleep);
        }
      },
    });
  }
}

Deno.test({
  name: `300 restarts of processes that escape leave nothing behind${HAS_CGROUPS ? "" : " (skipped: needs cgroups)"}`,
  ignore: !HAS_CGROUPS || !IS_ROOT,
  fn: async () => {
    const sleep = uniqueSleep();
    await using colony = new Colony({ permissions: ALL, args: ["--killtime", "0.1"] });
    const cgroups = await cgroupsOf(colony);
    const rounds = 300 / ESCAPES.length;
    for (let round = 1; round <= rounds; round++) {
      const env = { PATH: "/bin:/usr/bin", N: `${round}` };
      for (const { name, args } of ESCAPES) colony.put(name, { args: args(sleep), env });
      for (const { name } of ESCAPES) await colony.started(name, round);
    }
    // The room in which the monitor waits has no name.
    const named = (await namesBelow(cgroups)).filter((path) => path.includes("/of:"));
    assertEquals(
      named.map((path) => decodeURIComponent(path.split("/of:")[1]!)).sort(),
      ESCAPES.map(({ name }) => name).sort(),
    );
    for (const { name } of ESCAPES) colony.remove(name);
    for (const { name } of ESCAPES) await colony.waitFor(new RegExp(`INFO ${name}: .* -> gone `));
    assertEquals(await running(sleep), []);
    assertEquals((await namesBelow(cgroups)).length, 1);
    assertEquals(await colony.stop(), 0);
    assertEquals((await run(["test", "-e", cgroups])).code, 1);
  },
});

for (const { scope, permissions, args } of MONITORS) {
  const ignore = !IS_ROOT || scope === "cgroup" && !HAS_CGROUPS;
  Deno.test({
    name: `a fork bomb ends at once (${scope}, ${permissions === ALL ? "--allow-all" : "narrow"})${
      ignore ? " (skipped: needs cgroups, or root)" : ""
    }`,
    ignore,
    fn: async () => {
      await using colony = new Colony({ permissions, args: ["--killtime", "0.2", ...args] });
      const uid = 50_000 + Deno.pid % 10_000;
      const bomb = ["setpriv", `--reuid=${uid}`, "--clear-groups", "perl", "-e", FORK_BOMB];
      colony.put("bomb", { args: ["prlimit", "--nproc=100", ...bomb], env: { PATH: "/bin:/usr/bin" } });
      await colony.started("bomb");
      await until("its limit is reached", async () => (await statesOf(uid)).length >= 90);
      colony.remove("bomb");
      await colony.waitFor(/INFO bomb: .* -> gone /);
      assertEquals((await statesOf(uid)).filter((state) => !state.startsWith("Z")), []);
      assertEquals(await colony.stop(), 0);
    },
  });
}
