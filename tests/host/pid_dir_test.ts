import { assert, assertEquals, assertThrows } from "@std/assert";
import { PidDirectory } from "@ncolony/host";
import { type TempDir, tempDir } from "../helpers.ts";

/** Returns the text of each file in a directory. */
function filesIn(path: string): Record<string, string> {
  const files = [...Deno.readDirSync(path)].map(({ name }) => [name, Deno.readTextFileSync(`${path}/${name}`)]);
  return Object.fromEntries(files);
}

function pidDirectory(): { dir: TempDir; path: string; pids: PidDirectory } & Disposable {
  const dir = tempDir();
  const path = dir.file("pids");
  return { dir, path, pids: new PidDirectory(path), [Symbol.dispose]: () => dir[Symbol.dispose]() };
}

Deno.test("PidDirectory makes its directory and missing parents", () => {
  using dir = tempDir();
  const path = dir.file("run", "colony", "pids");
  new PidDirectory(path);
  assertEquals(new PidDirectory(path).write("web", 12), null);
  assertEquals(filesIn(path), { web: "12" });
});

Deno.test("PidDirectory throws if its path is not a directory", () => {
  using dir = tempDir();
  const file = dir.write("file", "");
  assertThrows(() => new PidDirectory(file), Error);
  assertThrows(() => new PidDirectory(`${file}/below`), Error);
});

Deno.test("PidDirectory.write() writes a pid in decimal, and replaces the previous one", () => {
  using it = pidDirectory();
  assertEquals(it.pids.write("web", 4_194_304), null);
  assertEquals(it.pids.write("db", 1), null);
  assertEquals(it.pids.write("web", 7), null);
  assertEquals(filesIn(it.path), { web: "7", db: "1" });
});

Deno.test("PidDirectory.write() replaces a file by another one, even if it is open", () => {
  using it = pidDirectory();
  it.pids.write("web", 1);
  const before = Deno.statSync(`${it.path}/web`).ino;
  it.pids.write("web", 22);
  assert(Deno.statSync(`${it.path}/web`).ino !== before);
});

Deno.test("PidDirectory.write() writes through no symlink, and remove() removes only the symlink", () => {
  using it = pidDirectory();
  const secret = it.dir.write("secret", "mine");
  const others = [".web", ".web.new", "web.new", "web.tmp", "web~"];
  for (const name of ["web", "db", ...others]) Deno.symlinkSync(secret, `${it.path}/${name}`);
  assertEquals(it.pids.write("web", 12), null);
  assertEquals(it.pids.remove("db"), null);
  assertEquals(filesIn(it.path), { ...Object.fromEntries(others.map((name) => [name, "mine"])), web: "12" });
  assertEquals(Deno.readTextFileSync(secret), "mine");
});

Deno.test("PidDirectory.remove() removes a file, and reports nothing if there is none", () => {
  using it = pidDirectory();
  it.pids.write("web", 12);
  assertEquals(it.pids.remove("web"), null);
  assertEquals(it.pids.remove("web"), null);
  assertEquals(filesIn(it.path), {});
});

Deno.test("PidDirectory reports why it cannot write or remove, and leaves nothing behind", () => {
  using it = pidDirectory();
  Deno.mkdirSync(`${it.path}/web/below`, { recursive: true });
  for (const reason of [it.pids.write("web", 12), it.pids.remove("web")]) {
    assert(reason !== null && !reason.includes(it.path), `${reason}`);
  }
  assertEquals([...Deno.readDirSync(it.path)].map(({ name }) => name), ["web"]);
  Deno.removeSync(it.path, { recursive: true });
  assertEquals(it.pids.write("web", 12), "no such file or directory");
  assertEquals(it.pids.remove("web"), null);
});
