import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { denoClock } from "@ncolony/host";
import { join } from "@std/path";
import { until } from "../helpers.ts";

Deno.test("denoClock.now() never goes back, and wall() is the time since 1970", () => {
  const before = denoClock.now();
  assertGreaterOrEqual(denoClock.now(), before);
  assertLess(Math.abs(denoClock.wall() - Date.now()), 60_000);
});

Deno.test("denoClock.after() calls back once the time has come, in order, and once", async () => {
  const called: number[] = [];
  for (const delayMs of [60, 20, 0, -5]) denoClock.after(delayMs, () => called.push(delayMs));
  await until("all are called", () => called.length === 4);
  assertEquals(called.slice(-2), [20, 60]);
});

Deno.test("denoClock.after() neither calls back what is canceled, nor calls back too early what is far away", async () => {
  const called: string[] = [];
  const callOff = denoClock.after(0, () => called.push("called off"));
  callOff();
  callOff();
  const callOffs = [2 ** 31, 2 ** 40, Infinity].map((delayMs) => denoClock.after(delayMs, () => called.push("early")));
  denoClock.after(30, () => called.push("last"));
  await until("the last is called", () => called.includes("last"));
  for (const callOff of callOffs) callOff();
  assertEquals(called, ["last"]);
});

Deno.test("denoClock.yield() every 10 ms lets timers, watches, signals and exits of children be handled", async () => {
  const directory = Deno.makeTempDirSync();
  const seen = new Set<string>();
  const onSignal = () => seen.add("signal");
  Deno.addSignalListener("SIGUSR1", onSignal);
  using watch = Deno.watchFs(directory);
  const watching = watch[Symbol.asyncIterator]().next().then(() => seen.add("watch"));
  const child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  const ending = child.status.then(() => seen.add("end"));
  try {
    setTimeout(() => seen.add("timer"), 1);
    Deno.writeTextFileSync(join(directory, "file"), "");
    const act = `kill -USR1 ${Deno.pid}; kill ${child.pid}; until grep -q "^State:.Z" "$1"; do sleep 0.01; done`;
    new Deno.Command("sh", { args: ["-c", act, "sh", `/proc/${child.pid}/status`] }).outputSync();
    // Everything has happened by now. As long as tokio does not wait, it polls for events only every 61st turn.
    for (let turns = 0; turns < 50 && seen.size < 4; turns++) {
      const end = performance.now() + 10;
      while (performance.now() < end);
      await denoClock.yield();
    }
    assertEquals([...seen].sort(), ["end", "signal", "timer", "watch"]);
  } finally {
    Deno.removeSignalListener("SIGUSR1", onSignal);
    if (!seen.has("end")) child.kill("SIGKILL");
    await Promise.all([ending, watching]);
    Deno.removeSync(directory, { recursive: true });
  }
});
