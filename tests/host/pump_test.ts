import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { until } from "../helpers.ts";
import { HandClock } from "./fakes.ts";
import { LARGEST, Pumped, turns } from "./pipes.ts";

Deno.test("pump() passes on all bytes in order, and is done at the end", async () => {
  const pumped = new Pumped(new HandClock());
  for (let i = 1; i < 50; i++) pumped.pipe.write(`${i} `.repeat(i));
  await until("all is read", () => pumped.text.endsWith("49 "));
  assertEquals(pumped.text, Array.from({ length: 50 }, (_, i) => `${i} `.repeat(i)).join(""));
  assertEquals(pumped.isDone, false);
  pumped.pipe.end();
  await pumped.done();
});

Deno.test("pump() begins with a small buffer, keeps it for small reads, and doubles it while reads fill it", async () => {
  const pumped = new Pumped(new HandClock());
  for (const size of [10, 511, 512, 1024, 2048, 10, 10]) {
    pumped.pipe.write("x".repeat(size));
    await turns();
  }
  assertEquals(pumped.pipe.buffers, [512, 512, 512, 1024, 2048, 4096, 4096]);
  pumped.pipe.end();
  await pumped.done();
});

Deno.test("pump() lets no buffer grow beyond 64 KiB", async () => {
  const pumped = new Pumped(new HandClock(), async () => await turns());
  pumped.pipe.flood();
  await until("many reads are done", () => pumped.pipe.buffers.length > 20);
  assertEquals(Math.max(...pumped.pipe.buffers), LARGEST);
  pumped.pump.finish();
  await pumped.done();
});

Deno.test("pump() reads nothing more until the sink has taken what it got", async () => {
  let take = (): void => {};
  const pumped = new Pumped(new HandClock(), () => new Promise<void>((resolve) => take = resolve));
  pumped.pipe.write("1");
  pumped.pipe.write("2");
  await turns();
  assertEquals(pumped.pipe.buffers.length, 1);
  take();
  await turns();
  assertEquals(pumped.pipe.buffers.length, 2);
  take();
  pumped.pipe.end();
  await pumped.done();
});

Deno.test("pump() keeps reading a silent pipe until finish() is called", async () => {
  const clock = new HandClock();
  const pumped = new Pumped(clock);
  await turns();
  assertEquals(clock.waiting, 0);
  clock.advance(1_000_000);
  pumped.pipe.write("late");
  await until("it is read", () => pumped.text === "late");
  pumped.pipe.end();
  await pumped.done();
});

Deno.test("Pump.finish() reads a pipe that a process holds until it is silent for a second", async () => {
  const clock = new HandClock();
  const pumped = new Pumped(clock);
  pumped.pump.finish();
  clock.advance(999);
  pumped.pipe.write("late");
  await until("it is read", () => pumped.text === "late");
  await turns();
  clock.advance(999);
  await turns();
  assertEquals(pumped.isDone, false);
  clock.advance(1);
  await pumped.done();
  assertEquals(clock.waiting, 0);
});

Deno.test("Pump.finish() does not count the sink's time as silence", async () => {
  const clock = new HandClock();
  let take = (): void => {};
  let isTaken = false;
  const pumped = new Pumped(
    clock,
    () => new Promise<void>((resolve) => take = resolve).then(() => void (isTaken = true)),
  );
  pumped.pipe.write("1");
  await turns();
  pumped.pump.finish();
  clock.advance(10_000);
  assertEquals(pumped.isDone, false);
  take();
  await until("it is taken", () => isTaken);
  await turns();
  assertEquals(pumped.isDone, false);
  clock.advance(1000);
  await pumped.done();
});

Deno.test("Pump.finish() stops reading a pipe that gives more than a pipe can hold", async () => {
  const pumped = new Pumped(new HandClock());
  pumped.pump.finish();
  pumped.pipe.flood();
  await pumped.done();
  assertLessOrEqual(1024 * 1024, pumped.bytes);
  assertLess(pumped.bytes, 1024 * 1024 + LARGEST);
});

Deno.test("Pump.finish() does nothing for a pipe that has ended", async () => {
  const clock = new HandClock();
  const pumped = new Pumped(clock);
  pumped.pipe.write("all");
  await until("it is read", () => pumped.text === "all");
  pumped.pipe.end();
  await pumped.done();
  pumped.pump.finish();
  assertEquals(clock.waiting, 0);
});

Deno.test("pump() is done if the pipe or the sink fails", async () => {
  const broken = new Pumped(new HandClock());
  broken.pipe.fail();
  await broken.done();
  const full = new Pumped(new HandClock(), () => Promise.reject(new Error("full")));
  full.pipe.write("1");
  await full.done();
});

Deno.test("pump() returns the memory of pipes that have ended, so that others may grow", async () => {
  const clock = new HandClock();
  const fill = async (pumped: Pumped[]) => {
    for (const { pipe } of pumped) pipe.write("x".repeat(2 * LARGEST));
    await until("all is read", () => pumped.every(({ bytes }) => bytes === 2 * LARGEST));
    for (const { pipe } of pumped) pipe.end();
    await until("all are done", () => pumped.every(({ isDone }) => isDone));
  };
  for (let i = 0; i < 4; i++) await fill(Array.from({ length: 100 }, () => new Pumped(clock)));
  const last = new Pumped(clock);
  await fill([last]);
  assertLess(512, Math.max(...last.pipe.buffers));
});

Deno.test("pump() lets all buffers together grow to 16 MiB", async () => {
  const clock = new HandClock();
  const all = Array.from({ length: 300 }, () => new Pumped(clock, () => turns()));
  for (const { pipe } of all) pipe.flood();
  await until("they have had the time to grow", () => all.every(({ pipe }) => pipe.buffers.length > 8));
  const bytes = all.reduce((sum, { pipe }) => sum + (pipe.buffers.at(-1) ?? 0), 0);
  assertLess(bytes, 17 * 1024 * 1024);
  assertLess(15 * 1024 * 1024, bytes);
  for (const { pump } of all) pump.finish();
  await until("all are done", () => all.every(({ isDone }) => isDone));
});
