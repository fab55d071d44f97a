import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { type Hold, hold, possibleHolds } from "./stuck.ts";
import { gone, MONITOR_PERMISSIONS, sh } from "./tools.ts";

const HOLDS = await possibleHolds();
const NEEDS: Readonly<Record<Hold, string>> = {
  "traced": "if that may be done",
  "traced at its exit": "if that may be done",
  "frozen": "if root may, in a cgroup of version 1",
};
const CAT = { args: ["cat"] };
/** A leader that ends on SIGTERM, and another one of its group, whose pid it says. */
const PAIR = { args: sh("sleep 1000 & echo member $!; exec cat") };

/** How long the monitor may take to end, here, when it is asked to and something has been stuck for long. */
const END_MS = 5000;

for (const how of ["traced", "traced at its exit", "frozen"] as const) {
  const test = (name: string, fn: (permissions: readonly string[], sees: boolean) => Promise<void>): void => {
    Deno.test({
      name: `${name} (${how}, ${NEEDS[how]})`,
      ignore: !HOLDS.includes(how),
      fn: async () => {
        // The one with /proc, the other one without.
        const both = await Promise.allSettled([fn(["-A"], true), fn(MONITOR_PERMISSIONS, false)]);
        for (const result of both) if (result.status === "rejected") throw result.reason;
      },
    });
  };

  test(
    "who does not end on SIGKILL is named, stays alone, and is left behind at the end",
    async (permissions, sees) => {
      await using colony = new Colony({ args: ["-k", "0.5"], permissions, config: { web: CAT, db: CAT } });
      const [web, db] = [await colony.started("web"), await colony.started("db")];
      {
        await using held = await hold(web, how);
        const who = sees ? `pid ${web} (${held.state})` : `pid ${web}, whose state cannot be seen without --allow-all`;
        colony.remove("web");
        const [, told] = await colony.waitFor(/ WARN web: does not end 5 s after SIGKILL: (.*)$/);
        assertEquals(told, who);
        colony.put("web", CAT);
        await colony.fence();
        assertEquals([colony.pidsOf("web"), isAlive(web)], [[web], true]);
        const begin = performance.now();
        assertEquals(await colony.stop(), 1);
        assertLess(performance.now() - begin, END_MS);
        const errors = colony.lines.filter((line) => line.includes(" ERROR "));
        assertEquals(errors.length, 1);
        assertMatch(errors[0]!, / web: does not end \d+ s after SIGKILL and is left behind: /);
        assertEquals(errors[0]!.endsWith(`: ${who}`), true);
        assertEquals([isAlive(web), isAlive(db)], [true, false]);
        assertEquals(Deno.readTextFileSync(colony.dir.file("pids", "web")), `${web}`);
      }
      await gone(web);
    },
  );

  test("who does not end on SIGKILL is followed by the next one when it has ended", async (permissions) => {
    await using colony = new Colony({ args: ["-k", "0.1"], permissions, config: { web: CAT } });
    await colony.started("web");
    // From the second time on it is started by setsid(1), where that is there.
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
    assertEquals(colony.count(/cannot happen/), 0);
    assertEquals(await colony.stop(), 0);
  });

  test("a group of whom one does not end on SIGKILL counts as empty when only zombies are left", async (...[permissions, sees]) => {
    await using colony = new Colony({ args: ["-k", "0.1"], permissions, config: { web: PAIR } });
    const web = await colony.started("web");
    const member = Number((await colony.waitFor(/^\[web\] member (\d+)$/))[1]);
    {
      await using held = await hold(member, how);
      colony.put("web", CAT);
      if (!sees || how === "traced") {
        await colony.waitFor(new RegExp(` WARN web: process group ${web} still has members after SIGKILL`));
        await colony.started("web", 2);
      } else {
        const [, told] = await colony.waitFor(/ WARN web: does not end 5 s after SIGKILL: (.*)$/);
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
