import { assertEquals, assertStringIncludes } from "@std/assert";
import { Fifos } from "../../host/files/fifos.ts";
import { watchDirectories } from "../../host/files/watch.ts";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { Actor, canRun } from "./actors.ts";
import { Trial } from "./children.ts";
import { replace } from "./fakes.ts";

/** Makes FIFOs; gives their paths. */
function makeFifos(dir: TempDir, ...names: string[]): string[] {
  const paths = names.map((name) => dir.file(name));
  if (!canRun("mkfifo", ...paths)) throw new Error(`Cannot make ${paths}`);
  return paths;
}

/** Opens a FIFO to read, as a child that says so when it is open. */
function reader(path: string): Trial {
  return new Trial(["sh", "-c", 'echo waits; exec 3< "$0"; echo open', path]);
}

async function isOpen(trial: Trial): Promise<void> {
  await until("it is open", () => trial.text.stdout === "waits\nopen\n");
}

/** How many descriptors of things in a directory this program has. */
async function heldIn(dir: TempDir): Promise<number> {
  await using trial = new Trial(["ls", "-l", `/proc/${Deno.pid}/fd`]);
  return (await trial.result()).split(dir.path).length - 1;
}

Deno.test("Fifos.hold() lets readers in, also who waited, as long as the FIFO is there", async () => {
  using dir = tempDir();
  const [one] = makeFifos(dir, "one");
  const fifos = new Fifos([dir.path]);
  await using waiting = reader(one);
  await waiting.line();
  fifos.hold();
  await isOpen(waiting);
  const [two] = makeFifos(dir, "two");
  fifos.hold();
  await using late = reader(two);
  await isOpen(late);
  Deno.removeSync(one);
  fifos.hold();
  assertEquals(await heldIn(dir), 1);
  fifos.close();
  assertEquals(await heldIn(dir), 0);
});

Deno.test("Fifos.hold() opens each once, and not more than 256", async () => {
  using dir = tempDir();
  makeFifos(dir, ...Array.from({ length: 300 }, (_, i) => `fifo${i}`));
  const fifos = new Fifos([dir.path]);
  for (let i = 0; i < 3; i++) fifos.hold();
  assertEquals(await heldIn(dir), 256);
  fifos.close();
});

Deno.test("Fifos.hold() holds a FIFO that took the place of one that it held", async () => {
  using dir = tempDir();
  const fifos = new Fifos([dir.path]);
  for (let i = 0; i < 2; i++) {
    // Both are there for a moment, so that they are two inodes.
    const [fresh] = makeFifos(dir, "fifo.new");
    Deno.renameSync(fresh, dir.file("fifo"));
    fifos.hold();
    await using held = reader(dir.file("fifo"));
    await isOpen(held);
  }
  fifos.close();
});

Deno.test("Fifos.hold() opens nothing behind a link, and nothing but FIFOs", async () => {
  using dir = tempDir();
  using outside = tempDir();
  const [target] = makeFifos(outside, "target");
  makeFifos(dir, ".hidden", "fresh.new");
  Deno.symlinkSync(target, dir.file("link"));
  dir.write("file", "{}");
  dir.dir("below");
  const fifos = new Fifos([dir.path]);
  fifos.hold();
  assertEquals([await heldIn(dir), await heldIn(outside)], [2, 0]);
  fifos.close();
});

Deno.test("Fifos.hold() ignores a directory that is gone", () => {
  const fifos = new Fifos(["/no/such/directory"]);
  fifos.hold();
  fifos.close();
});

Deno.test("Fifos.hold() does not list a directory again that has not changed for long", () => {
  using dir = tempDir();
  makeFifos(dir, "fifo");
  Deno.utimeSync(dir.path, 1000, 1000);
  let lists = 0;
  const list = Deno.readDirSync;
  using _replaced = replace(Deno, "readDirSync", (path: string | URL) => {
    lists++;
    return list(path);
  });
  const fifos = new Fifos([dir.path]);
  for (let i = 0; i < 3; i++) fifos.hold();
  assertEquals(lists, 1);
  makeFifos(dir, "other");
  for (let i = 0; i < 3; i++) fifos.hold();
  assertEquals(lists, 4, "what changed just now may change again within its time stamp");
  fifos.close();
});

Deno.test("watch() goes on telling, and can be closed, where a FIFO that is held is touched", async () => {
  using dir = tempDir();
  makeFifos(dir, "fifo");
  await using actor = new Actor(["watch", dir.path, "fifo"]);
  await actor.says("watches work");
});

Deno.test("Watch.close() does not wait for ever where a FIFO that went made watches hang, and no more are made", async () => {
  using dir = tempDir();
  await using actor = new Actor(["watch-hanging", dir.path, "fifo"]);
  await until("it is said what became of watches", () => actor.stdout.split("\n").length > 3);
  assertStringIncludes(actor.stdout, "watches hang");
  // Without a file to ask it by, nobody knows before.
  assertStringIncludes(actor.stdout, '{"after":[true,true,true]}');
});

for (const isApart of [false, true]) {
  Deno.test(`Watch.check() tells that a watch hangs, asked by a file ${isApart ? "elsewhere" : "in its directory"}`, async () => {
    using dir = tempDir();
    using outside = tempDir();
    const probe = (isApart ? outside : dir).write(".lock", "");
    await using actor = new Actor(["watch-hanging", dir.path, "fifo", probe]);
    await until("it is said what became of watches", () => actor.stdout.split("\n").length > 3);
    assertStringIncludes(actor.stdout, '{"before":true}\n{"after":[true,false,false]}\nError: Deno\'s watches hang');
  });
}

Deno.test("Watch.check() goes on being answered while the watch works, and nothing is told of it", async () => {
  using dir = tempDir();
  const probe = dir.write(".lock", "");
  const told: string[] = [];
  const note = () => void told.push("told");
  const watch = watchDirectories([dir.path], { touched: note, rescan: note, failed: note }, probe);
  for (let i = 0; i < 3; i++) {
    assertEquals(watch.check(), true);
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
  await watch.close();
  assertEquals(told, []);
});

for (const hasProbe of [true, false]) {
  Deno.test(`Watch does not seem to hang when its answer gets lost in a flood (${hasProbe ? "with" : "without"} a file to ask it by)`, async () => {
    using dir = tempDir();
    const probe = hasProbe ? dir.write(".lock", "") : null;
    const sink = { touched: () => {}, rescan: () => {}, failed: () => {} };
    const flood = () => {
      for (let i = 0; i < 3000; i++) dir.write(`file${i % 7}`, "{}");
    };
    const watch = watchDirectories([dir.path], sink, probe);
    // More than Deno keeps while nobody listens: what comes then is thrown away.
    for (let i = 0; i < 4; i++) {
      flood();
      assertEquals(watch.check(), true);
      flood();
      await new Promise((resolve) => setTimeout(resolve, 1100));
    }
    flood();
    const closed = watch.close();
    flood();
    await closed;
    await watchDirectories([dir.path], sink, probe).close();
  });
}
