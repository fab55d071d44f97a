import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import type { Clock, OutputSink } from "@ncolony/host";
import { type Pump, pump } from "../../host/pump.ts";
import { until } from "../helpers.ts";
import { HandClock } from "./fakes.ts";

const LARGEST = 65_536;

/** A pipe in memory: a test writes, and sees how large the buffers are that others bring to read. */
class FakePipe {
  /** The sizes of the buffers that were brought. */
  readonly buffers: number[] = [];
  readonly stream: ReadableStream<Uint8Array>;
  #controller!: ReadableByteStreamController;
  #waiting: Uint8Array[] = [];
  #isEndless = false;
  #wake = (): void => {};

  constructor() {
    this.stream = new ReadableStream({
      type: "bytes",
      start: (controller) => void (this.#controller = controller),
      pull: async () => {
        while (this.#waiting.length === 0 && !this.#isEndless) await new Promise<void>((wake) => this.#wake = wake);
        this.#answer();
      },
      cancel: () => this.#wake(),
    });
  }

  write(text: string): void {
    this.#waiting.push(new TextEncoder().encode(text));
    this.#wake();
  }

  /** From now on every buffer is filled. */
  flood(): void {
    this.#isEndless = true;
    this.#wake();
  }

  end(): void {
    this.#controller.close();
    this.#controller.byobRequest?.respond(0);
  }

  fail(): void {
    this.#controller.error(new Error("broken"));
  }

  #answer(): void {
    const view = this.#controller.byobRequest?.view;
    if (!view) return;
    this.buffers.push(view.byteLength);
    const bytes = this.#isEndless ? new Uint8Array(view.byteLength) : this.#waiting.shift() ?? new Uint8Array(0);
    const taken = bytes.subarray(0, view.byteLength);
    if (taken.length < bytes.length) this.#waiting.unshift(bytes.subarray(taken.length));
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(taken);
    this.#controller.byobRequest?.respond(taken.length);
  }
}

/** A pipe that is being read, and what came out of it. */
class Pumped {
  readonly pipe = new FakePipe();
  readonly pump: Pump;
  text = "";
  bytes = 0;
  isDone = false;

  constructor(clock: Clock, sink?: OutputSink) {
    this.pump = pump(this.pipe.stream, sink ?? this.#take, clock);
    this.pump.done.then(() => this.isDone = true);
  }

  async done(): Promise<void> {
    await until("the pump is done", () => this.isDone);
  }

  readonly #take = (chunk: Uint8Array): void => {
    this.text += new TextDecoder().decode(chunk);
    this.bytes += chunk.length;
  };
}

/** Lets everything that is ready have its turn. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("pump() gives all bytes in order, and is done at the end", async () => {
  const pumped = new Pumped(new HandClock());
  for (let i = 1; i < 50; i++) pumped.pipe.write(`${i} `.repeat(i));
  await until("all is read", () => pumped.text.endsWith("49 "));
  assertEquals(pumped.text, Array.from({ length: 50 }, (_, i) => `${i} `.repeat(i)).join(""));
  assertEquals(pumped.isDone, false);
  pumped.pipe.end();
  await pumped.done();
});

Deno.test("pump() begins with a small buffer, keeps it for little, and doubles it while it is filled", async () => {
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

Deno.test("pump() reads nothing more while the sink has not taken what it got", async () => {
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

Deno.test("pump() goes on reading a silent pipe for as long as nobody says that the writers ended", async () => {
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

Deno.test("Pump.finish() reads a pipe that somebody holds until it is silent for a second", async () => {
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

Deno.test("Pump.finish() does not count the time that the sink takes as silence", async () => {
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

Deno.test("Pump.finish() stops reading a pipe that gives more than it could hold", async () => {
  const pumped = new Pumped(new HandClock());
  pumped.pump.finish();
  pumped.pipe.flood();
  await pumped.done();
  assertLessOrEqual(1024 * 1024, pumped.bytes);
  assertLess(pumped.bytes, 1024 * 1024 + LARGEST);
});

Deno.test("Pump.finish() has nothing to do for a pipe that ended", async () => {
  const clock = new HandClock();
  const pumped = new Pumped(clock);
  pumped.pipe.write("all");
  await until("it is read", () => pumped.text === "all");
  pumped.pipe.end();
  await pumped.done();
  pumped.pump.finish();
  assertEquals(clock.waiting, 0);
});

Deno.test("pump() is done where the pipe or the sink fails", async () => {
  const broken = new Pumped(new HandClock());
  broken.pipe.fail();
  await broken.done();
  const full = new Pumped(new HandClock(), () => Promise.reject(new Error("full")));
  full.pipe.write("1");
  await full.done();
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
  for (const pumped of all) await pumped.done();
});
