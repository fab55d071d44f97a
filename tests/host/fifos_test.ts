import { assertEquals, assertStringIncludes } from "@std/assert";
import { Fifos } from "../../host/files/fifos.ts";
import { watchDirectories } from "../../host/files/watch.ts";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { Actor, canRun } from "./actors.ts";
import { Trial } from "./children.ts";
import { replace } from "./fakes.ts";

/** Makes FIFOs. Returns their paths. */
function makeFifos(dir: TempDir, ...names: string[]): string[] {
  const paths = names.map((name) => dir.file(name));
  if (!canRun("mkfifo", ...paths)) throw new Error(`Cannot make ${paths}`);
  return paths;
}

/** Opens a FIFO for reading in a child, which prints `open` when it is open. */
function reader(path: string): Trial {
  return new Trial(["sh", "-c", 'echo waits; exec 3< "$0"; echo open', path]);
}

async function isOpen(trial: Trial): Promise<void> {
  await until("it is open", () => trial.text.stdout === "waits\nopen\n");
}

/** Returns the number of this program's descriptors of files in a directory. */
async function heldIn(dir: TempDir): Promise<number> {
  await using trial = new Trial(["ls", "-l", `/proc/${Deno.pid}/fd`]);
  return (await trial.result()).split(dir.path).length - 1;
}

Deno.test("Fifos.hold() lets readers in, including waiting ones, as long as the FIFO exists", async () => {
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

Deno.test("Fifos.hold() opens each FIFO once, and at most 256 of them", async () => {
  using dir = tempDir();
  makeFifos(dir, ...Array.from({ length: 300 }, (_, i) => `fifo${i}`));
  const fifos = new Fifos([dir.path]);
  for (let i = 0; i < 3; i++) fifos.hold();
  assertEquals(await heldIn(dir), 256);
  fifos.close();
});

Deno.test("Fifos.hold() holds a FIFO that replaced one that it held", async () => {
  using dir = tempDir();
  const fifos = new Fifos([dir.path]);
  for (let i = 0; i < 2; i++) {
    // Both exist for a moment, so that their inodes differ.
    const [fresh] = makeFifos(dir, "fifo.new");
    Deno.renameSync(fresh, dir.file("fifo"));
    fifos.hold();
    await using held = reader(dir.file("fifo"));
    await isOpen(held);
  }
  fifos.close();
});

Deno.test("Fifos.hold() opens nothing behind a symlink, and only FIFOs", async () => {
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

Deno.test("Fifos.hold() ignores a missing directory", () => {
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

Deno.test("a watch goes on, and can be closed, when a FIFO that is held is touched", async () => {
  using dir = tempDir();
  makeFifos(dir, "fifo");
  await using actor = new Actor(["watch", dir.path, "fifo"]);
  await actor.says("watches work");
});

Deno.test("Watch.close() does not hang after a FIFO that is gone made watches hang, and no watch can be made then", async () => {
  using dir = tempDir();
  await using actor = new Actor(["watch-hanging", dir.path, "fifo"]);
  await until("it is said what became of watches", () => actor.stdout.split("\n").length > 3);
  assertStringIncludes(actor.stdout, "file watcher hangs");
  // Without a probe, this is not known before the watch is closed.
  assertStringIncludes(actor.stdout, '{"after":[true,true,true]}');
});

for (const isApart of [false, true]) {
  Deno.test(`Watch.check() reports that a watch hangs, with a probe ${isApart ? "elsewhere" : "in its directory"}`, async () => {
    using dir = tempDir();
    using outside = tempDir();
    const probe = (isApart ? outside : dir).write(".lock", "");
    await using actor = new Actor(["watch-hanging", dir.path, "fifo", probe]);
    await until("it is said what became of watches", () => actor.stdout.split("\n").length > 3);
    assertStringIncludes(
      actor.stdout,
      '{"before":true}\n{"after":[true,false,false]}\nError: Deno\'s file watcher hangs',
    );
  });
}

Deno.test("Watch.check() succeeds as long as the watch works, and causes no event", async () => {
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
  Deno.test(`Watch is not thought to hang when its answer is lost in a flood (${hasProbe ? "with" : "without"} a probe)`, async () => {
    using dir = tempDir();
    const probe = hasProbe ? dir.write(".lock", "") : null;
    const sink = { touched: () => {}, rescan: () => {}, failed: () => {} };
    const flood = () => {
      for (let i = 0; i < 3000; i++) dir.write(`file${i % 7}`, "{}");
    };
    const watch = watchDirectories([dir.path], sink, probe);
    // More events than Deno keeps while they are not read. It drops the rest.
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
