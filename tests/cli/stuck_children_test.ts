import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { type Hold, hold, possibleHolds } from "./stuck.ts";
import { gone, MONITOR_PERMISSIONS, sh } from "./tools.ts";

const HOLDS = await possibleHolds();
const NEEDS: Readonly<Record<Hold, string>> = {
  "traced": "skipped where tracing is forbidden",
  "traced at its exit": "skipped where tracing is forbidden",
  "frozen": "skipped without root and cgroups v1",
};
const CAT = { args: ["cat"] };
/** A leader that exits on SIGTERM, and another member of its group, whose pid it prints. */
const PAIR = {
  args: sh("sleep 1000 & echo member $!; exec cat"),
  // In a session or a cgroup, zombies are told apart at once.
  "ncolony.monitor": { kill_scope: "group" },
};

/** The most time that a stop may take here if a process has been stuck for long, in milliseconds. */
const END_MS = 5000;

for (const how of ["traced", "traced at its exit", "frozen"] as const) {
  const test = (name: string, fn: (permissions: readonly string[], sees: boolean) => Promise<void>): void => {
    Deno.test({
      name: `${name} (${how}, ${NEEDS[how]})`,
      ignore: !HOLDS.includes(how),
      fn: async () => {
        // One with /proc, the other without.
        const both = await Promise.allSettled([fn(["-A"], true), fn(MONITOR_PERMISSIONS, false)]);
        for (const result of both) if (result.status === "rejected") throw result.reason;
      },
    });
  };

  test(
    "the monitor names a process that survives SIGKILL, starts no other, and leaves it behind at the stop",
    async (permissions, sees) => {
      await using colony = new Colony({ args: ["-k", "0.5"], permissions, config: { web: CAT, db: CAT } });
      const [web, db] = [await colony.started("web"), await colony.started("db")];
      {
        await using held = await hold(web, how);
        const who = sees ? `pid ${web} (${held.state})` : `pid ${web} (state unknown without --allow-all)`;
        colony.remove("web");
        const [, told] = await colony.waitFor(/ WARN web: has not exited 5 s after SIGKILL: (.*)$/);
        assertEquals(told, who);
        colony.put("web", CAT);
        await colony.fence();
        assertEquals([colony.pidsOf("web"), isAlive(web)], [[web], true]);
        const begin = performance.now();
        assertEquals(await colony.stop(), 1);
        assertLess(performance.now() - begin, END_MS);
        const errors = colony.lines.filter((line) => line.includes(" ERROR "));
        assertEquals(errors.length, 1);
        assertMatch(errors[0]!, / web: has not exited \d+ s after SIGKILL and is left behind: /);
        assertEquals(errors[0]!.endsWith(`: ${who}`), true);
        assertEquals([isAlive(web), isAlive(db)], [true, false]);
        assertEquals(Deno.readTextFileSync(colony.dir.file("pids", "web")), `${web}`);
      }
      await gone(web);
    },
  );

  test("the monitor starts the next process once one that survived SIGKILL has exited", async (permissions) => {
    await using colony = new Colony({ args: ["-k", "0.1"], permissions, config: { web: CAT } });
    await colony.started("web");
    // From the second start on, setsid(1) starts it if available.
    colony.send({ type: "RESTART", name: "web" });
    const web = await colony.started("web", 2);
    {
      await using _held = await hold(web, how);
      colony.put("web", { ...CAT, version: 2 });
      await colony.waitFor(/web: stopping -> killing/);
      await colony.fence();
      assertEquals([colony.pidsOf("web").length, isAlive(web)], [2, true]);
    }
    await colony.started("web", 3);
    assertEquals(isAlive(web), false);
    assertEquals(colony.matching(/unexpected event/), []);
    assertEquals(await colony.stop(), 0);
  });

  test("a group with a member that survives SIGKILL counts as empty when only zombies are left", async (...[permissions, sees]) => {
    await using colony = new Colony({ args: ["-k", "0.1"], permissions, config: { web: PAIR } });
    const web = await colony.started("web");
    const member = Number((await colony.waitFor(/^\[web\] member (\d+)$/))[1]);
    {
      await using held = await hold(member, how);
      colony.put("web", CAT);
      if (!sees || how === "traced") {
        await colony.waitFor(new RegExp(` WARN web: what pid ${web} started is still there after SIGKILL`));
        await colony.started("web", 2);
      } else {
        const [, told] = await colony.waitFor(/ WARN web: has not exited 5 s after SIGKILL: (.*)$/);
        assertEquals(told, `pid ${member} (${held.state})`);
        assertEquals(colony.pidsOf("web"), [web]);
      }
      assertEquals(isAlive(member), true);
    }
    await colony.started("web", 2);
    await gone(member);
    assertEquals(await colony.stop(), 0);
  });
}
