import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { Writer } from "../../host/output/writer.ts";
import { until } from "../helpers.ts";

const MIB = 1024 * 1024;

/** A stream in memory that takes nothing until it is opened. */
class FakeTarget {
  /** What was written. */
  text = "";
  /** The sizes of the writes that were begun. */
  readonly writes: number[] = [];
  /** Decides how many bytes of a write are taken. */
  take: (bytes: Uint8Array) => number | Promise<number> = (bytes) => bytes.length;
  #open = Promise.withResolvers<void>();

  /** Returns a target that takes everything from the start. */
  static open(): FakeTarget {
    const target = new FakeTarget();
    target.open();
    return target;
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.writes.push(bytes.length);
    await this.#open.promise;
    const taken = await this.take(bytes);
    this.text += new TextDecoder().decode(bytes.subarray(0, taken));
    return taken;
  }

  open(): void {
    this.#open.resolve();
  }

  close(): void {
    this.#open = Promise.withResolvers();
  }
}

/** Returns a writer and its reports. */
function writerTo(target: FakeTarget): { writer: Writer; told: string[] } {
  const told: string[] = [];
  const writer = new Writer(target, {
    fault: (error) => told.push(`fault: ${(error as Error).message}`),
    lost: (count) => told.push(`lost: ${count}`),
  });
  return { writer, told };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Passes bytes to a writer as a child's output is passed. */
function give(writer: Writer, bytes: Uint8Array): Promise<void> {
  return writer.whenRoom(() => writer.add(bytes));
}

/** Runs everything that is ready. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("Writer writes everything in order, whether added or offered", async () => {
  const target = FakeTarget.open();
  const { writer, told } = writerTo(target);
  let expected = "";
  for (let i = 0; i < 1000; i++) {
    if (i % 3 === 0) writer.offer(bytes(`${i},`));
    else await give(writer, bytes(`${i},`));
    expected += `${i},`;
  }
  await writer.flush();
  assertEquals(target.text, expected);
  assertEquals(told, []);
});

Deno.test("Writer collects bytes while it writes, and makes one write at a time", async () => {
  const target = new FakeTarget();
  const { writer } = writerTo(target);
  for (const text of ["1", "2", "3"]) await give(writer, bytes(text));
  assertEquals(target.writes, [1]);
  target.open();
  await writer.flush();
  assertEquals(target.writes, [1, 2]);
  assertEquals(target.text, "123");
});

Deno.test("Writer copies the bytes that it gets", async () => {
  const target = new FakeTarget();
  const { writer } = writerTo(target);
  const buffer = bytes("one ");
  await give(writer, buffer);
  buffer.set(bytes("two "));
  writer.offer(buffer);
  buffer.set(bytes("gone"));
  target.open();
  await writer.flush();
  assertEquals(target.text, "one two ");
});

Deno.test("Writer goes on if a stream takes fewer bytes than it was given", async () => {
  const target = FakeTarget.open();
  target.take = (bytes) => Math.min(3, bytes.length);
  const { writer } = writerTo(target);
  await give(writer, bytes("what is longer than three"));
  await give(writer, bytes(" bytes"));
  await writer.flush();
  assertEquals(target.text, "what is longer than three bytes");
});

Deno.test("Writer ignores empty input", async () => {
  const target = FakeTarget.open();
  const { writer } = writerTo(target);
  await give(writer, bytes(""));
  writer.offer(bytes(""));
  await writer.flush();
  assertEquals(target.writes, []);
});

Deno.test("Writer.whenRoom() makes many writers wait while a stream takes nothing, and continues once it does", async () => {
  const target = new FakeTarget();
  const { writer } = writerTo(target);
  const chunk = new Uint8Array(MIB / 8);
  let added = 0;
  const write = async () => {
    for (let i = 0; i < 3; i++) {
      await writer.whenRoom(() => {
        writer.add(chunk);
        added += chunk.length;
      });
    }
  };
  const all = Promise.all(Array.from({ length: 40 }, write));
  for (let i = 0; i < 50; i++) await turn();
  assertLess(added, 2 * MIB);
  target.open();
  await all;
  await writer.flush();
  assertEquals(target.text.length, 120 * chunk.length);
  assertLessOrEqual(Math.max(...target.writes), MIB + chunk.length);
});

Deno.test("Writer takes a chunk that is larger than its limit", async () => {
  const target = new FakeTarget();
  const { writer } = writerTo(target);
  await give(writer, bytes("a"));
  await give(writer, bytes("b".repeat(3 * MIB)));
  const late = give(writer, bytes("c"));
  target.open();
  await late;
  await writer.flush();
  assertEquals(target.text.length, 3 * MIB + 2);
  assertEquals(target.text.at(-1), "c");
});

Deno.test("Writer keeps the order of each of many waiting writers, and loses nothing", async () => {
  const target = new FakeTarget();
  const { writer } = writerTo(target);
  const write = async (who: number) => {
    for (let i = 0; i < 5; i++) await give(writer, bytes(`${who}:${i}`.padEnd(MIB / 16) + "\n"));
  };
  const all = Promise.all(Array.from({ length: 40 }, (_, writer) => write(writer)));
  await turn();
  target.open();
  await all;
  await writer.flush();
  const lines = target.text.trimEnd().split("\n").map((line) => line.trim());
  assertEquals(lines.length, 200);
  for (let writer = 0; writer < 40; writer++) {
    const mine = lines.filter((line) => line.startsWith(`${writer}:`));
    assertEquals(mine, Array.from({ length: 5 }, (_, i) => `${writer}:${i}`));
  }
  assertLessOrEqual(Math.max(...target.writes), MIB + MIB / 16 + 1);
});

Deno.test("Writer.offer() drops bytes while too much waits, and their number is reported once they could be written", async () => {
  const target = new FakeTarget();
  const { writer, told } = writerTo(target);
  const chunk = bytes("x".repeat(MIB / 4));
  for (let i = 0; i < 12; i++) writer.offer(chunk);
  assertEquals(told, []);
  target.open();
  await writer.flush();
  const lost = 12 - target.text.length / chunk.length;
  assertEquals(told, [`lost: ${lost}`]);
  assertEquals([lost > 4, lost < 12], [true, true]);
  target.close();
  for (let i = 0; i < 12; i++) writer.offer(chunk);
  target.open();
  await writer.flush();
  assertEquals(told.length, 2);
});

Deno.test("Writer writes what is offered when a loss is reported", async () => {
  const target = new FakeTarget();
  const writer: Writer = new Writer(target, { fault: () => {}, lost: (count) => writer.offer(bytes(`lost ${count}`)) });
  for (let i = 0; i < 3; i++) writer.offer(bytes("x".repeat(MIB)));
  target.open();
  await writer.flush();
  assertEquals(target.text.slice(-6), "lost 1");
});

Deno.test("Writer reports a failing stream once, and again if it fails after it had recovered", async () => {
  const target = FakeTarget.open();
  const { writer, told } = writerTo(target);
  const good = target.take;
  const broken = () => Promise.reject(new Error("Broken pipe"));
  for (const take of [broken, broken, good, broken]) {
    target.take = take;
    await give(writer, bytes("x"));
    await writer.flush();
  }
  assertEquals(told, ["fault: Broken pipe", "fault: Broken pipe"]);
  assertEquals(target.text, "x");
});

Deno.test("Writer.whenRoom() does not wait for a stream that fails", async () => {
  const target = FakeTarget.open();
  target.take = () => Promise.reject(new Error("Broken pipe"));
  const { writer, told } = writerTo(target);
  for (let i = 0; i < 100; i++) await give(writer, new Uint8Array(MIB / 8));
  await writer.flush();
  assertEquals(told, ["fault: Broken pipe"]);
});

Deno.test("Writer.flush() waits until everything is written, including what comes meanwhile", async () => {
  const target = new FakeTarget();
  const { writer } = writerTo(target);
  await writer.flush();
  await give(writer, bytes("1"));
  let isFlushed = false;
  writer.flush().then(() => isFlushed = true);
  await give(writer, bytes("2"));
  await turn();
  assertEquals(isFlushed, false);
  target.open();
  await until("all is written", () => isFlushed);
  assertEquals(target.text, "12");
});

Deno.test("Writer waits for a stream that takes nothing at the moment, and reports no fault", async () => {
  const told: string[] = [];
  let text = "";
  let refusals = 5;
  const target = {
    write: (bytes: Uint8Array) => {
      if (refusals-- > 0) return Promise.reject(new Deno.errors.WouldBlock("Resource temporarily unavailable"));
      text += new TextDecoder().decode(bytes.subarray(0, 2));
      refusals = 2;
      return Promise.resolve(Math.min(2, bytes.length));
    },
  };
  const writer = new Writer(target, { fault: () => told.push("fault"), lost: () => told.push("lost") });
  await give(writer, bytes("abcdefg"));
  await writer.flush();
  assertEquals([text, told], ["abcdefg", []]);
});

Deno.test("Writer.offer() has room however much else waits, and a loss is reported while more comes", async () => {
  const target = new FakeTarget();
  const { writer, told } = writerTo(target);
  const flood = bytes("x".repeat(MIB));
  await give(writer, flood);
  void give(writer, flood);
  for (let event = 0; event < 100; event++) writer.offer(bytes("e"));
  for (let event = 0; event < 3; event++) writer.offer(flood);
  assertEquals(told, []);
  let isFlooding = true;
  const flooding = (async () => {
    for (; isFlooding; await turn()) await give(writer, flood);
  })();
  target.open();
  while (told.length === 0) await turn();
  isFlooding = false;
  await flooding;
  await writer.flush();
  assertEquals(target.text.split("e").length - 1, 100);
  assertEquals(told, ["lost: 3"]);
});
