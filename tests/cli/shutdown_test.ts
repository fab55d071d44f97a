import { assertEquals, assertLess } from "@std/assert";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { gone, namesIn, sh, signalIfThere } from "./tools.ts";

const CAT = { args: ["cat"] };
const STUBBORN = { args: sh("trap '' TERM; echo ready; exec sleep 1000") };

/** Returns configs of several processes of one kind: `p0`, `p1`, … */
function many(count: number, config: unknown): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, config]));
}

/** Waits until each of {@linkcode many} is ready. Returns their pids. */
async function ready(colony: Colony, count: number): Promise<number[]> {
  await colony.waitFor(/^\[p\d+\] ready$/, count);
  // The monitor's own lines come on another stream.
  return await Promise.all(Array.from({ length: count }, (_, index) => colony.started(`p${index}`)));
}

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  Deno.test(`${signal} stops all processes, and the monitor exits with 0`, async () => {
    await using colony = new Colony({
      args: ["-k", "1000"],
      config: { web: CAT, db: CAT, waiting: { args: ["false"] } },
    });
    const pids = [await colony.started("web"), await colony.started("db")];
    await colony.waitFor(/waiting: stopping -> waiting/);
    assertEquals(pids.map(isAlive), [true, true]);
    assertEquals(await colony.stop(signal), 0);
    await gone(...pids);
    assertEquals(colony.count(/running -> stopping \(unwanted\)/), 2);
    assertEquals(colony.matching(/killing/), []);
    assertEquals(colony.stderr.lines.at(-1)?.slice(25), "INFO all processes have ended");
    // The monitor's own files are gone too.
    assertEquals([colony.pids, colony.messages].flatMap((path) => [...Deno.readDirSync(path)]), []);
  });
}

Deno.test("a signal while the monitor exits does not change its exit code", async () => {
  await using colony = new Colony({ config: { web: CAT } });
  await colony.started("web");
  const timer = setInterval(() => signalIfThere(colony.process.pid, "SIGTERM"), 1);
  try {
    assertEquals(await colony.process.status, { success: true, code: 0, signal: null });
  } finally {
    clearInterval(timer);
  }
});

Deno.test("ten processes that ignore SIGTERM stop in one kill time, not in ten", async () => {
  await using colony = new Colony({ args: ["-k", "1"], config: many(10, STUBBORN) });
  const pids = await ready(colony, 10);
  const start = performance.now();
  assertEquals(await colony.stop(), 0);
  assertLess(performance.now() - start, 5000);
  await gone(...pids);
  // All were asked to stop before any was killed.
  const steps = colony.stderr.lines.map((line) => /-> (stopping|killing) /.exec(line)?.[1]).filter(Boolean);
  assertEquals(steps, [...Array(10).fill("stopping"), ...Array(10).fill("killing")]);
});

Deno.test("a stopping monitor starts nothing, and a second signal kills processes that ignored the first", async () => {
  await using colony = new Colony({
    args: ["-k", "1000", "-m", "0.5"],
    config: { ...many(3, STUBBORN), web: CAT, crasher: { args: ["false"] } },
  });
  const stubborn = await ready(colony, 3);
  await colony.waitFor(/crasher: stopping -> waiting/);
  colony.process.kill("SIGTERM");
  await colony.waitFor(/p\d: running -> stopping \(unwanted\)/, 3);
  await colony.waitFor(/web: stopping -> gone/);
  const started = colony.pidsOf();
  colony.put("late", CAT);
  const message = colony.send({ type: "RESTART-ALL" });
  // Longer than a file takes to settle and the crasher waits. Signals within a second would be one request.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  assertEquals(stubborn.map(isAlive), stubborn.map(() => true));
  assertEquals(await colony.stop("SIGINT"), 0);
  await gone(...started);
  assertEquals(colony.count(/p\d: stopping -> killing \(kill\)/), 3);
  assertEquals(colony.pidsOf(), started);
  assertEquals(namesIn(colony.messages), [message]);
});

Deno.test("a stopping monitor does not start processes that are due", async () => {
  const count = 300;
  await using colony = new Colony({ args: ["-m", "2", "-t", "1000"], config: many(count, { args: ["false"] }) });
  await colony.waitFor(/-> waiting for/, count);
  // Everything becomes due meanwhile.
  Deno.kill(colony.process.pid, "SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, 2000));
  Deno.kill(colony.process.pid, "SIGCONT");
  await colony.waitFor(/waiting -> running/);
  assertEquals(await colony.stop(), 0);
  assertLess(colony.count(/waiting -> running/), count);
});

Deno.test("a monitor without processes exits as soon as it is asked to", async () => {
  await using colony = new Colony();
  await colony.waitFor(/ncolony-monitor \d/);
  assertEquals(await colony.stop(), 0);
});
