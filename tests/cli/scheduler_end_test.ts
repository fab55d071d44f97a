import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { isAlive } from "../helpers.ts";
import { PATIENT, Scheduled, script } from "./scheduling.ts";
import { gone, run, signalIfThere } from "./tools.ts";

/** Prints its pid and a child's. Both exit on SIGTERM. */
const OBEDIENT = script('echo "pid $$"; sleep 1000 & echo "child $!"; exec sleep 1000');

/** The same, but both ignore SIGTERM. */
const STUBBORN = script(`trap '' TERM; echo "pid $$"; sleep 1000 & echo "child $!"; exec sleep 1000`);

/** Exits at once, and leaves a child behind. */
const LEAVES = script('echo "pid $$"; sleep 1000 >/dev/null 2>&1 & echo "child $!"');

/** One run, long before the next one. */
const RARELY = ["--frequency", "1000"];

/** Returns the pids of the leader and its child. */
async function groupOf(scheduled: Scheduled): Promise<[leader: number, child: number]> {
  return [await scheduled.numberIn(/ pid (\d+)$/), await scheduled.numberIn(/ child (\d+)$/)];
}

/** Sends SIGTERM again and again until the scheduler exits, because signals within a second are one request. */
async function insist(scheduled: Scheduled): Promise<number> {
  const timer = setInterval(() => signalIfThere(scheduled.process.pid, "SIGTERM"), 100);
  try {
    return await scheduled.ended();
  } finally {
    clearInterval(timer);
  }
}

Deno.test("a run beyond its timeout gets SIGTERM with its whole group, and the next run starts", async () => {
  await using scheduled = new Scheduled(() => ["--frequency", "1", "--timeout", "0.3", "--grace", "1000", ...OBEDIENT]);
  const pids = await groupOf(scheduled);
  await scheduled.waitFor(/ WARN run 1: timed out after 0\.3 s, sending SIGTERM$/);
  await scheduled.waitFor(/ WARN run 1: SIGTERM after \d+\.\d\d s$/);
  await gone(...pids);
  await scheduled.waitFor(/ pid \d+$/, 2);
});

Deno.test("a run that ignores SIGTERM gets SIGKILL after the grace, with its whole group", async () => {
  await using scheduled = new Scheduled(() => [...RARELY, "--timeout", "0.2", "--grace", "0.4", ...STUBBORN]);
  const pids = await groupOf(scheduled);
  const report = await scheduled.waitFor(/ WARN run 1: SIGKILL after (\d+\.\d\d) s$/);
  assertLess(0.55, Number(report[1]));
  await gone(...pids);
});

Deno.test("a run may exit by itself on SIGTERM, and the scheduler logs its exit code", async () => {
  const polite = script(`trap 'echo was asked; exit 4' TERM; echo "pid $$"; while :; do sleep 0.02; done`);
  await using scheduled = new Scheduled(() => [...RARELY, "--timeout", "0.3", "--grace", "1000", ...polite]);
  await scheduled.waitFor(/ WARN run 1: exit code 4 after /);
  await scheduled.waitFor(/^\[sh\] was asked$/);
});

Deno.test("the scheduler ends what a run leaves behind before the next run", async () => {
  await using scheduled = new Scheduled(() => [...PATIENT, "--frequency", "0.4", ...LEAVES]);
  for (let run = 1; run <= 2; run++) {
    const child = await scheduled.numberIn(/ child (\d+)$/, run);
    await gone(child);
  }
  assertEquals(scheduled.matching(/timed out|SIGKILL/), []);
});

Deno.test("--kill-scope process spares what a run leaves behind, and a child at the timeout", async () => {
  const options = [...RARELY, "--kill-scope", "process", "--grace", "1000"];
  await using left = new Scheduled(() => [...options, "--timeout", "1000", ...LEAVES]);
  await using timed = new Scheduled(() => [...options, "--timeout", "0.2", ...OBEDIENT]);
  const [, child] = await groupOf(left);
  const [leader, other] = await groupOf(timed);
  await left.waitFor(/ run 1: exit code 0 after /);
  await timed.waitFor(/ run 1: SIGTERM after /);
  await gone(leader);
  assertEquals(await Promise.all([left.stop(), timed.stop()]), [0, 0]);
  for (const pid of [child, other]) assertMatch((await run(["cat", `/proc/${pid}/stat`])).stdout, /\) S /, "no zombie");
});

Deno.test("SIGTERM, SIGINT and SIGHUP end the run with its group, and then the scheduler with 0", async () => {
  const start = (): Scheduled => new Scheduled(() => [...PATIENT, ...RARELY, ...OBEDIENT]);
  await using first = start();
  await using second = start();
  await using third = start();
  const cases = [[first, "SIGTERM"], [second, "SIGINT"], [third, "SIGHUP"]] as const;
  await Promise.all(cases.map(async ([scheduled, signal]) => {
    const pids = await groupOf(scheduled);
    assertEquals([signal, await scheduled.stop(signal)], [signal, 0]);
    assertEquals(pids.map(isAlive), [false, false]);
    assertEquals(scheduled.count(/ run 1: SIGTERM after /), 1);
  }));
});

Deno.test("a stopping scheduler kills a run that ignores SIGTERM after the grace, and exits with 0", async () => {
  await using scheduled = new Scheduled(() => [...RARELY, "--timeout", "1000", "--grace", "0.4", ...STUBBORN]);
  const pids = await groupOf(scheduled);
  assertEquals(await scheduled.stop(), 0);
  await gone(...pids);
  assertEquals(scheduled.count(/ run 1: SIGKILL after /), 1);
});

Deno.test("a second signal to the scheduler kills the run at once", async () => {
  await using scheduled = new Scheduled(() => [...PATIENT, ...RARELY, ...STUBBORN]);
  const pids = await groupOf(scheduled);
  assertEquals(await insist(scheduled), 0);
  await gone(...pids);
  assertEquals(scheduled.count(/ run 1: SIGKILL after /), 1);
});

Deno.test("the scheduler takes signals in quick succession as one request", async () => {
  const slow = script(
    `trap 'sleep 0.3; echo ended in order; exit 0' TERM; echo "pid $$"; while :; do sleep 0.02; done`,
  );
  await using scheduled = new Scheduled(() => [...PATIENT, ...RARELY, ...slow]);
  await scheduled.waitFor(/ pid \d+$/);
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) scheduled.process.kill(signal);
  assertEquals(await scheduled.ended(), 0);
  assertEquals(scheduled.count(/ended in order/), 1);
});

Deno.test("a stop between two runs ends the scheduler at once", async () => {
  await using scheduled = new Scheduled(() => [...PATIENT, ...RARELY, ...script("true")]);
  await scheduled.waitFor(/ run 1: exit code 0 after /);
  assertEquals(await scheduled.stop(), 0);
});

Deno.test("a signal to a scheduler with --once ends the run first", async () => {
  await using scheduled = new Scheduled(() => [...PATIENT, "--once", ...OBEDIENT]);
  const pids = await groupOf(scheduled);
  assertEquals(await scheduled.stop(), 143);
  await gone(...pids);
});
