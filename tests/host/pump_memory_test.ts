import { assertLess } from "@std/assert";
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

Deno.test("pump() gives the memory of a pipe that has ended back, so that others may grow", async () => {
  const clock = new HandClock();
  for (let i = 0; i < 400; i++) {
    const old = new Pumped(clock);
    old.pipe.write("x".repeat(2 * LARGEST));
    await until("it is read", () => old.bytes === 2 * LARGEST);
    old.pipe.end();
    await old.done();
  }
  const pumped = new Pumped(clock);
  pumped.pipe.write("x".repeat(2 * LARGEST));
  await until("it is read", () => pumped.bytes === 2 * LARGEST);
  assertLess(512, Math.max(...pumped.pipe.buffers));
  pumped.pipe.end();
  await pumped.done();
});
