import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { type ColonyEvent, type RunningMonitor, startMonitor } from "@ncolony/monitor";
import { isAlive, type TempDir, tempDir, until } from "../helpers.ts";
import { namesIn, place } from "../cli/tools.ts";

/** Starts a monitor in an empty directory. */
function start(dir: TempDir): Promise<RunningMonitor> {
  return startMonitor({
    config: dir.dir("config"),
    messages: dir.dir("messages"),
    output: null,
    minrestartdelay: 0.01,
  });
}

/** Reads events until one of this type. */
async function next<T extends ColonyEvent["type"]>(
  reader: ReadableStreamDefaultReader<ColonyEvent>,
  type: T,
): Promise<ColonyEvent & { type: T }> {
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The events ended before one that is ${type}`);
    if (value.type === type) return value as ColonyEvent & { type: T };
  }
}

Deno.test("startMonitor() runs a colony until it is disposed, and reports events until everything has ended", async () => {
  using dir = tempDir();
  let reader: ReadableStreamDefaultReader<ColonyEvent>;
  let pid: number;
  let ended: Promise<number>;
  {
    await using colony = await start(dir);
    ended = colony.ended;
    reader = colony.events.getReader();
    place(dir.file("config"), "web", '{"args": ["cat"]}');
    ({ pid } = await next(reader, "started"));
    assertEquals(isAlive(pid), true);
    place(dir.file("config"), "bad", "[]");
    assertEquals((await next(reader, "problem")).name, "bad");
    place(dir.file("messages"), "1", "{}");
    assertEquals((await next(reader, "problem")).name, null);
  }
  assertEquals(isAlive(pid), false);
  assertEquals((await next(reader, "exited")).exit, { type: "signal", signal: "SIGTERM" });
  assertEquals((await next(reader, "stopped")).name, "web");
  assertEquals((await reader.read()).done, true);
  assertEquals(await ended, 0);
});

Deno.test("RunningMonitor keeps running after its reader leaves the loop of events", async () => {
  using dir = tempDir();
  await using colony = await start(dir);
  place(dir.file("config"), "web", '{"args": ["cat"]}');
  let pid = 0;
  for await (const event of colony.events) {
    if (event.type !== "started") continue;
    ({ pid } = event);
    break;
  }
  place(dir.file("config"), "bad", "[]");
  assertEquals(isAlive(pid), true);
  await colony.stop();
  assertEquals([await colony.ended, isAlive(pid)], [0, false]);
});

Deno.test("RunningMonitor drops events after 10,000 that are not read, and reports that", async () => {
  using dir = tempDir();
  const [config, messages] = [dir.dir("config"), dir.dir("messages")];
  // Each of them is invalid, so each is a problem.
  for (let index = 0; index < 10_050; index++) Deno.writeTextFileSync(join(config, `${index}`), "[]");
  place(messages, "1", '{"type": "RESTART-ALL"}');
  await using colony = await startMonitor({ config, messages, output: null });
  await until("all has been looked at", () => namesIn(messages).length === 0);
  await colony.stop();
  let count = 0;
  let last: ColonyEvent | null = null;
  for await (const event of colony.events) {
    count++;
    last = event;
  }
  assertEquals(last?.type, "problem");
  assertEquals([count <= 10_002, /^\d+ events were lost/.test((last as { message: string }).message)], [true, true]);
});

Deno.test("startMonitor() rejects if a directory is missing", async () => {
  using dir = tempDir();
  const places = { config: dir.file("none"), messages: dir.dir("messages"), output: null };
  await assertRejects(() => startMonitor(places), Error, "none");
});
