import { assert, assertEquals, assertMatch } from "@std/assert";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { Program } from "./program.ts";
import { hasCommand, HEEDING, MONITOR_PERMISSIONS, run, sh, toolCommand } from "./tools.ts";

/** Signals that by default end a program, except those for faults and those that ask it to stop. */
const STRAY = "USR1 USR2 ALRM VTALRM PROF XFSZ TRAP ABRT SYS 16 29 30".split(" ");

async function kill(pid: number, signal: string): Promise<void> {
  assertEquals((await run(["sh", "-c", `kill -${signal} ${pid}`])).code, 0, signal);
}

Deno.test("SIGQUIT stops the monitor in order, and signals that do not ask it to stop leave it running", async () => {
  await using colony = new Colony({ wrap: HEEDING });
  colony.put("web", { args: ["sleep", "1000"] });
  const web = await colony.started("web");
  for (const signal of STRAY) await kill(colony.process.pid, signal);
  await colony.fence();
  assert(isAlive(web));
  assertEquals(colony.pidsOf("web"), [web]);
  await kill(colony.process.pid, "QUIT");
  assertEquals(await colony.ended(), 0);
  await colony.waitFor(/INFO all processes have ended$/);
  assert(!isAlive(web));
});

const IGNORING = [...HEEDING, ...sh('trap "" HUP; exec "$@"'), "sh"];

/** Ways in which a program finds out what it inherited. */
const WAYS: Readonly<Record<string, { permissions: readonly string[]; wrap: readonly string[] }>> = {
  "that may read /proc": { permissions: ["--allow-all"], wrap: [] },
  "that asks a shell": { permissions: MONITOR_PERMISSIONS, wrap: [] },
  "without /proc": {
    permissions: MONITOR_PERMISSIONS,
    wrap: ["unshare", "--mount", ...sh('mount -t tmpfs none /proc && exec "$@"'), "sh"],
  },
};

for (const [way, { permissions, wrap }] of Object.entries(WAYS)) {
  const canWrap = wrap.length === 0 || (await run([...wrap, "true"]).catch(() => ({ code: 1 }))).code === 0;
  Deno.test({
    name: `under nohup a monitor ${way} survives SIGHUP, but its children do not${
      canWrap ? "" : " (skipped: no unshare)"
    }`,
    ignore: !canWrap,
    fn: async () => {
      await using colony = new Colony({ permissions, wrap: [...IGNORING, ...wrap] });
      colony.put("web", { args: ["sleep", "1000"] });
      const web = await colony.started("web");
      await kill(colony.process.pid, "HUP");
      await colony.fence();
      assert(isAlive(web));
      await kill(web, "HUP");
      await colony.started("web", 2);
      await kill(colony.process.pid, "TERM");
      assertEquals(await colony.ended(), 0);
    },
  });
}

Deno.test("under nohup the scheduler survives SIGHUP", async () => {
  const command = toolCommand("scheduler/mod.ts", ["--allow-run"]);
  const words = ["--frequency", "1000", "--timeout", "100", "--grace", "1", "--arg", "sh", "--arg", "-c", "--arg"];
  await using scheduler = new Program([...IGNORING, ...command, ...words, "echo ready; exec sleep 1000"]);
  await scheduler.waitFor(/ready/);
  scheduler.process.kill("SIGHUP");
  scheduler.process.kill("SIGUSR2");
  await new Promise((resolve) => setTimeout(resolve, 200));
  assertEquals(scheduler.isOver, false);
  scheduler.process.kill("SIGTERM");
  assertEquals(await scheduler.ended(), 0);
});

const BLOCKING = ["env", "--block-signal=TERM,USR1"];
const canBlock = hasCommand("env") && (await run([...BLOCKING, "true"])).code === 0;

for (const permissions of [["--allow-all"], MONITOR_PERMISSIONS]) {
  Deno.test({
    name: `a monitor with ${permissions[0]} that started with SIGTERM blocked logs that once`,
    ignore: !canBlock,
    fn: async () => {
      await using colony = new Colony({ permissions, wrap: BLOCKING });
      const [line] = await colony.waitFor(/WARN .* cannot stop this program.*$/);
      assertMatch(line, /WARN SIGTERM cannot stop this program: blocked by the program that started it$/);
      await colony.fence();
      await kill(colony.process.pid, "INT");
      assertEquals(await colony.ended(), 0);
      assertEquals(colony.count(/cannot stop this program/), 1);
    },
  });
}
