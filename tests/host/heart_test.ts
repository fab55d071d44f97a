import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Heart, type HeartOptions, lastBeat, maybeBeat, startHeart, statusFile } from "@ncolony/host";
import { run } from "../cli/tools.ts";
import { tempDir, until } from "../helpers.ts";
import { Actor, IS_ROOT, NOBODY } from "./actors.ts";

/** Returns the options of a program that runs under the monitor. Collects the faults. */
function under(section: unknown, name = "web"): HeartOptions & { faults: string[] } {
  const variables: Record<string, string> = {
    NCOLONY_CONFIG: JSON.stringify({ args: ["httpd"], "ncolony.beatcheck": section }),
    NCOLONY_NAME: name,
  };
  const faults: string[] = [];
  return { environ: (key) => variables[key], onFault: (fault) => void faults.push(fault), faults };
}

/** Sets a file's time far back, so that a touch can be seen. */
function age(path: string): void {
  Deno.utimeSync(path, 1000, 1000);
}

function mtimeOf(path: string): number {
  return Deno.statSync(path).mtime!.getTime();
}

function assertNow(path: string): void {
  assert(Math.abs(Date.now() - mtimeOf(path)) < 60_000, `${path} was touched at ${mtimeOf(path)}`);
}

Deno.test("Heart.beat() creates its file, and touches it without changing its content", () => {
  using dir = tempDir();
  const path = dir.file("heart");
  using heart = new Heart(path, "web");
  heart.beat();
  assertEquals(Deno.readTextFileSync(path), "");
  Deno.writeTextFileSync(path, "text");
  age(path);
  heart.beat();
  assertNow(path);
  assertEquals(Deno.readTextFileSync(path), "text");
});

Deno.test("Heart.beat() touches the file of its name in a directory, even one that is made later", () => {
  using dir = tempDir();
  const faults: string[] = [];
  using heart = new Heart(dir.file("hearts", "eu"), "web", (fault) => void faults.push(fault));
  heart.beat();
  assertEquals(faults, [`cannot touch heartbeat file ${JSON.stringify(heart.status)}: no such file or directory`]);
  dir.dir("hearts/eu");
  heart.beat();
  assertEquals([...Deno.readDirSync(heart.status)].map(({ name }) => name), ["web"]);
  assertNow(dir.file("hearts", "eu", "web"));
});

Deno.test("Heart.beat() follows a symlink to its file, and creates no file through a dangling one", () => {
  using dir = tempDir();
  const target = dir.write("target", "");
  age(target);
  Deno.symlinkSync(target, dir.file("link"));
  new Heart(dir.file("link"), "web").beat();
  assertNow(target);
  Deno.symlinkSync(dir.file("nowhere"), dir.file("dangling"));
  const faults: string[] = [];
  const heart = new Heart(dir.file("dangling"), "web", (fault) => void faults.push(fault));
  heart.beat();
  heart.beat();
  assertEquals(faults.length, 1);
  assertThrows(() => Deno.lstatSync(dir.file("nowhere")), Deno.errors.NotFound);
});

Deno.test("Heart.beat() touches a FIFO without waiting for a reader", async () => {
  using dir = tempDir();
  const path = dir.file("fifo");
  await run(["mkfifo", path]);
  age(path);
  new Heart(path, "web").beat();
  assertNow(path);
  assertNow(statusFile(path, "web"));
});

Deno.test("Heart reports a fault once while it stays the same, and again after it was gone", () => {
  using dir = tempDir();
  const faults: string[] = [];
  const heart = new Heart(dir.file("a", "heart"), "web", (fault) => void faults.push(fault));
  const beatTwice = () => {
    heart.beat();
    heart.beat();
    return faults.splice(0).length;
  };
  assertEquals(beatTwice(), 1, "no directory");
  dir.write("a", "");
  assertEquals(beatTwice(), 1, "a file in its place");
  Deno.removeSync(dir.file("a"));
  dir.dir("a");
  assertEquals(beatTwice(), 0);
  Deno.removeSync(dir.file("a"), { recursive: true });
  assertEquals(beatTwice(), 1, "no directory again");
});

Deno.test("startHeart() beats at once and then by itself, until it is disposed", async () => {
  using dir = tempDir();
  const path = dir.file("heart");
  const it = under({ period: 0.03, grace: 1, status: path });
  {
    using heart = startHeart(it);
    assertEquals([heart?.status, Deno.statSync(path).isFile], [path, true]);
    for (let beats = 0; beats < 2; beats++) {
      age(path);
      await until("it beats", () => mtimeOf(path) > 1_000_000);
    }
  }
  age(path);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assertEquals([mtimeOf(path), it.faults], [1_000_000, []]);
});

for (const period of [0.01, 1e9]) {
  Deno.test(`startHeart() beats neither without a pause nor never with a period of ${period} s`, async () => {
    using dir = tempDir();
    const path = dir.file("hearts", "heart");
    // Each fault changes the reason of the next one, so that every beat reports one.
    let beats = 0;
    const onFault = () => void (beats++ % 2 === 0 ? dir.write("hearts", "") : Deno.removeSync(dir.file("hearts")));
    using heart = startHeart({ ...under({ period, grace: 1, status: path }), onFault });
    const before = performance.now();
    if (period < 1) await until("it beats", () => beats >= 5);
    else await new Promise((resolve) => setTimeout(resolve, 100));
    assert(heart !== null && beats >= 1);
    assert(period < 1 ? performance.now() - before > 20 : beats === 1, `${beats} beats`);
  });
}

Deno.test("startHeart() and maybeBeat() do nothing without a monitor, or if the config names no heart", () => {
  const faults: string[] = [];
  const onFault = (fault: string) => void faults.push(fault);
  for (const environ of [() => undefined, under(undefined).environ!, under(null).environ!]) {
    assertEquals(startHeart({ environ, onFault }), null);
    maybeBeat({ environ, onFault });
  }
  assertEquals(faults, []);
});

Deno.test("startHeart() reports an invalid config once, by its field and without its values", () => {
  const it = under({ period: "hunter2", grace: 1, status: "/s" });
  assertEquals(startHeart(it), null);
  assertEquals(it.faults, [
    'no heartbeat: Cannot parse config "web": "ncolony.beatcheck.period" must be a number from 0.01 to 1000000000: got a string',
  ]);
  const notJson = { ...it, environ: () => "hunter2" };
  assertEquals(startHeart(notJson), null);
  assertMatch(it.faults[1]!, /^no heartbeat: .*invalid JSON at line 1, column 1: the first character must be \{$/);
});

Deno.test({
  name: "Heart.beat() touches another user's file that it may write, as touch(1) does, and keeps its content",
  ignore: !IS_ROOT,
  fn: async () => {
    using dir = tempDir();
    Deno.chmodSync(dir.path, 0o755);
    for (const text of ["", "kept"]) {
      const path = dir.write("heart", text);
      Deno.chmodSync(path, 0o666);
      age(path);
      await using actor = new Actor(["beat", path, `${NOBODY}`]);
      assertEquals(JSON.parse(await actor.result()), { faults: [] });
      assertNow(path);
      assertEquals(Deno.readTextFileSync(path), text);
      Deno.chmodSync(path, 0o644);
      await using other = new Actor(["beat", path, `${NOBODY}`]);
      const { faults } = JSON.parse(await other.result());
      assertMatch(faults.join(), /^cannot touch heartbeat file ".*heart": permission denied$/);
    }
  },
});

Deno.test("maybeBeat() beats once", () => {
  using dir = tempDir();
  const it = under({ period: 10, grace: 1, status: dir.path }, "db");
  maybeBeat(it);
  assertNow(dir.file("db"));
  age(dir.file("db"));
  maybeBeat(it);
  assertNow(dir.file("db"));
  assertEquals(it.faults, []);
});

Deno.test("lastBeat() and statusFile() find a file, a file in a directory, or none", () => {
  using dir = tempDir();
  const path = dir.write("heart", "");
  age(path);
  assertEquals([statusFile(path, "web"), lastBeat(path, "web")], [path, 1_000_000]);
  assertEquals([statusFile(dir.path, "heart"), lastBeat(dir.path, "heart")], [path, 1_000_000]);
  assertEquals([statusFile(dir.path, "web"), lastBeat(dir.path, "web")], [dir.file("web"), null]);
  for (const missing of [dir.file("none"), dir.file("none", "at", "all"), dir.file("heart", "below")]) {
    assertEquals([statusFile(missing, "web"), lastBeat(missing, "web")], [missing, null]);
  }
  Deno.symlinkSync("loop", dir.file("loop"));
  assertThrows(() => lastBeat(dir.file("loop"), "web"), Error);
});
