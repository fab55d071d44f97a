import type { Clock, OnBytes } from "@ncolony/host";
import { type Pump, pump } from "../../host/children/pump.ts";
import { until } from "../helpers.ts";

/** The size of the largest buffer, in bytes. */
export const LARGEST = 65_536;

/** A pipe in memory. A test writes to it, and sees the sizes of the buffers that read from it. */
export class FakePipe {
  /** The sizes of the buffers that were used to read. */
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

  /** Fills every buffer from now on. */
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

/** A pipe that is being read, and what was read from it. */
export class Pumped {
  readonly pipe = new FakePipe();
  readonly pump: Pump;
  text = "";
  bytes = 0;
  isDone = false;

  constructor(clock: Clock, sink?: OnBytes) {
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

/** Runs everything that is ready. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}
