import { assert, assertEquals, assertThrows } from "@std/assert";
import { lockDirectory } from "@ncolony/host";
import { tempDir, until } from "../helpers.ts";
import { Actor } from "./actors.ts";

Deno.test("lockDirectory() is refused to another program", async () => {
  using dir = tempDir();
  {
    using lock = lockDirectory(dir.path);
    assert(lock !== null);
    await using actor = new Actor(["lock", dir.path]);
    assertEquals(await actor.result(), "refused\n");
  }
  await using actor = new Actor(["lock", dir.path]);
  await actor.says("held");
});

Deno.test("lockDirectory() is refused while another program lives, and free when that is killed", async () => {
  using dir = tempDir();
  await using actor = new Actor(["lock", dir.path]);
  await actor.says("held");
  assertEquals(lockDirectory(dir.path), null);
  assertEquals(lockDirectory(dir.path), null);
  await actor.end("SIGKILL");
  using _lock = await until("the lock is free", () => lockDirectory(dir.path));
});

Deno.test("lockDirectory() is refused to the same program until the lock is given back", () => {
  using dir = tempDir();
  const first = lockDirectory(dir.path);
  assertEquals(lockDirectory(dir.path), null);
  first?.[Symbol.dispose]();
  using second = lockDirectory(dir.path);
  assert(second !== null);
});

Deno.test("lockDirectory() locks directories, whatever path leads there, and leaves nothing in them", () => {
  using dir = tempDir();
  using one = lockDirectory(dir.dir("one"));
  using two = lockDirectory(dir.dir("two"));
  assert(one !== null && two !== null);
  Deno.symlinkSync("one", dir.file("link"));
  assertEquals(lockDirectory(dir.file("link")), null);
  assertEquals([...Deno.readDirSync(dir.file("one"))], []);
});

Deno.test("lockDirectory() locks another directory that takes the place of one that is locked", () => {
  using dir = tempDir();
  using _old = lockDirectory(dir.dir("messages"));
  Deno.removeSync(dir.file("messages"));
  using lock = lockDirectory(dir.dir("messages"));
  assert(lock !== null);
});

Deno.test("lockDirectory() throws where there is no such directory", () => {
  assertThrows(() => lockDirectory("/no/such/directory"), Deno.errors.NotFound);
});
