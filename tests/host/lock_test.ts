import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type DirectoryLock, lockDirectory } from "@ncolony/host";
import { type TempDir, tempDir } from "../helpers.ts";
import { Actor, canRun, IS_ROOT, NOBODY, withUmask } from "./actors.ts";

/** Tries once. */
function lock(path: string): Promise<DirectoryLock | null> {
  return lockDirectory(path, 0);
}

function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

Deno.test("lockDirectory() is refused to another program", async () => {
  using dir = tempDir();
  {
    using held = await lock(dir.path);
    assert(held !== null);
    await using actor = new Actor(["lock", dir.path]);
    assertEquals(await actor.result(), "refused\n");
  }
  await using actor = new Actor(["lock", dir.path]);
  await actor.says("held");
});

Deno.test("lockDirectory() is refused while another program lives, and succeeds after that is killed", async () => {
  using dir = tempDir();
  await using actor = new Actor(["lock", dir.path]);
  await actor.says("held");
  assertEquals([await lock(dir.path), await lock(dir.path)], [null, null]);
  await actor.end("SIGKILL");
  using held = await lockDirectory(dir.path, 10_000);
  assert(held?.isHeld);
});

Deno.test("lockDirectory() waits for a lock that another holder releases soon", async () => {
  using dir = tempDir();
  const first = await lock(dir.path);
  setTimeout(() => first?.[Symbol.dispose](), 100);
  using second = await lockDirectory(dir.path, 10_000);
  assert(second?.isHeld);
});

Deno.test("lockDirectory() is refused to the same program until the lock is released", async () => {
  using dir = tempDir();
  const first = await lock(dir.path);
  assertEquals(await lock(dir.path), null);
  first?.[Symbol.dispose]();
  using second = await lock(dir.path);
  assert(second !== null);
});

Deno.test("lockDirectory() locks directories by whatever path, and leaves nothing in them", async () => {
  using dir = tempDir();
  {
    using one = await lock(dir.dir("one"));
    using two = await lock(dir.dir("two"));
    assert(one !== null && two !== null);
    Deno.symlinkSync("one", dir.file("link"));
    assertEquals(await lock(dir.file("link")), null);
    assertEquals(namesIn(dir.file("one")), [".lock"]);
  }
  assertEquals([namesIn(dir.file("one")), namesIn(dir.file("two"))], [[], []]);
});

Deno.test("lockDirectory() locks another directory that replaces a locked one", async () => {
  using dir = tempDir();
  using old = await lock(dir.dir("messages"));
  Deno.removeSync(dir.file("messages"), { recursive: true });
  assertEquals(old?.isHeld, false);
  using held = await lock(dir.dir("messages"));
  assert(held?.isHeld);
});

Deno.test("lockDirectory() rejects if the directory does not exist", async () => {
  await assertRejects(() => lock("/no/such/directory"), Deno.errors.NotFound);
});

Deno.test("lockDirectory() makes a file that no other user can open, whatever the umask", async () => {
  using dir = tempDir();
  await using actor = new Actor(["lock", dir.path], withUmask("000"));
  await actor.says("held");
  assertEquals((Deno.statSync(dir.file(".lock")).mode ?? 0) & 0o777, 0o600);
});

Deno.test("DirectoryLock.isHeld is false once its file is removed or replaced", async () => {
  using dir = tempDir();
  using held = await lock(dir.path);
  Deno.removeSync(dir.file(".lock"));
  assertEquals(held?.isHeld, false);
  {
    using other = await lock(dir.path);
    assertEquals([held?.isHeld, other?.isHeld], [false, true]);
    held?.[Symbol.dispose]();
    assertEquals(other?.isHeld, true, "who lost it leaves the file of the other alone");
  }
});

Deno.test("lockDirectory() works without a file if none can be made, and reports why", async () => {
  using dir = tempDir();
  dir.dir("messages");
  await using actor = new Actor(["lock", dir.file("messages")], [], "/", [`--allow-read=${dir.path}`]);
  await actor.says("held without a file: needs --allow-write");
});

/** What other users may put in the place of the lock file. */
const PLANTED: Readonly<Record<string, (path: string, dir: TempDir) => void>> = {
  "a symlink to a file": (path, dir) => Deno.symlinkSync(dir.write("victim", "victim"), path),
  "a dangling symlink": (path, dir) => Deno.symlinkSync(dir.file("victim"), path),
  "a hard link to a file": (path, dir) => Deno.linkSync(dir.write("victim", "victim"), path),
  "a file that other users may open": (path) => Deno.writeTextFileSync(path, "", { mode: 0o644 }),
  "a named pipe": (path) => assert(canRun("mkfifo", path)),
  "a directory with something in it": (path) => Deno.mkdirSync(`${path}/below`, { recursive: true }),
};

for (const [what, plant] of Object.entries(PLANTED)) {
  Deno.test(`lockDirectory() replaces ${what} by its own file`, async () => {
    using dir = tempDir();
    const messages = dir.dir("messages");
    plant(`${messages}/.lock`, dir);
    using held = await lock(messages);
    assert(held?.isHeld);
    assertEquals(await lock(messages), null);
    const { isFile, mode } = Deno.lstatSync(`${messages}/.lock`);
    assertEquals([isFile, (mode ?? 0) & 0o777], [true, 0o600]);
    if (what === "a dangling symlink") assertEquals(namesIn(dir.path), ["messages"]);
    else if (namesIn(dir.path).includes("victim")) assertEquals(Deno.readTextFileSync(dir.file("victim")), "victim");
  });
}

Deno.test({
  name: "lockDirectory() replaces another user's file by its own (skipped unless run by root)",
  ignore: !IS_ROOT,
  fn: async () => {
    using dir = tempDir();
    const file = dir.write(".lock", "");
    Deno.chmodSync(file, 0o600);
    Deno.chownSync(file, NOBODY, NOBODY);
    using theirs = Deno.openSync(file);
    theirs.lockSync(true);
    using held = await lock(dir.path);
    assert(held?.isHeld);
  },
});

Deno.test({
  name: "lockDirectory() rejects if it may not open root's file (skipped unless run by root)",
  ignore: !IS_ROOT,
  fn: async () => {
    using dir = tempDir();
    Deno.chmodSync(dir.path, 0o777);
    using _held = await lock(dir.path);
    await using actor = new Actor(["lock", dir.path, `${NOBODY}`]);
    const { code, stderr } = await actor.failure();
    assertEquals(code, 1);
    assertMatch(stderr, /PermissionDenied/);
  },
});
