import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { denoClock } from "@ncolony/host";
import { until } from "../helpers.ts";

Deno.test("denoClock.now() never goes back, and wall() is the time since 1970", () => {
  const before = denoClock.now();
  assertGreaterOrEqual(denoClock.now(), before);
  assertLess(Math.abs(denoClock.wall() - Date.now()), 60_000);
});

Deno.test("denoClock.after() calls back when the time has come, in order, and once", async () => {
  const called: number[] = [];
  for (const delayMs of [60, 20, 0, -5]) denoClock.after(delayMs, () => called.push(delayMs));
  await until("all are called", () => called.length === 4);
  assertEquals(called.slice(-2), [20, 60]);
});

Deno.test("denoClock.after() does not call back what is called off, nor too early what is far away", async () => {
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

Deno.test("denoClock.yield() resolves after what is ready had its turn", async () => {
  let hadTurn = false;
  setTimeout(() => hadTurn = true, 0);
  await denoClock.yield();
  assert(hadTurn);
});
