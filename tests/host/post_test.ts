import { assert, assertEquals, assertThrows } from "@std/assert";
import { postFile, readTextFile, removeFile } from "@ncolony/host";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { Actor } from "./actors.ts";

function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

function modeOf(path: string): number {
  return (Deno.lstatSync(path).mode ?? 0) & 0o7777;
}

/** Returns a config directory with a config, and a file outside it. */
function world(): { dir: TempDir; config: string; web: string; secret: string } & Disposable {
  const dir = tempDir();
  const config = dir.dir("config");
  const web = dir.write("config/web", "old");
  return { dir, config, web, secret: dir.write("secret", "mine"), [Symbol.dispose]: () => dir[Symbol.dispose]() };
}

Deno.test("postFile() writes or replaces a file, byte for byte", () => {
  using it = world();
  const text = `{"args": ["é\ufeff"]}\n${"x".repeat(1_000_000)}`;
  postFile(it.config, "db", "");
  postFile(it.config, "web", text);
  assertEquals(Deno.readTextFileSync(it.web), text);
  assertEquals(Deno.readTextFileSync(`${it.config}/db`), "");
  assertEquals(namesIn(it.config), ["db", "web"]);
});

Deno.test("postFile() replaces a file by another one, so that no program reads half of it", () => {
  using it = world();
  using open = Deno.openSync(it.web);
  postFile(it.config, "web", "new");
  const bytes = new Uint8Array(10);
  assertEquals(open.readSync(bytes), 3);
  assertEquals(new TextDecoder().decode(bytes.subarray(0, 3)), "old");
});

Deno.test("postFile() keeps the permission bits of a file that it replaces", () => {
  using it = world();
  // For a new file, the umask would remove bits from the last two.
  for (const mode of [0o600, 0o640, 0o400, 0o755, 0o664, 0o777]) {
    Deno.chmodSync(it.web, mode);
    postFile(it.config, "web", "new");
    assertEquals(modeOf(it.web), mode);
  }
});

Deno.test("postFile() never lets a user read the new text who could not read the old one", async () => {
  using it = world();
  Deno.chmodSync(it.web, 0o600);
  await using spy = new Actor(["spy", it.config]);
  await spy.says("looking");
  const text = "x".repeat(5_000_000);
  await until("the spy sees a file", () => {
    postFile(it.config, "web", text);
    return spy.stdout.includes("mode");
  });
  assertEquals(new Set(spy.stdout.match(/mode \d+/g)), new Set(["mode 600"]));
});

Deno.test("postFile() writes under an unpredictable name that monitors ignore", async () => {
  using it = world();
  const names = new Set<string>();
  const watcher = Deno.watchFs(it.config);
  const watch = async () => {
    for await (const { paths } of watcher) for (const path of paths) names.add(path.slice(it.config.length + 1));
  };
  const watching = watch();
  for (let i = 0; i < 3; i++) postFile(it.config, "web", "new");
  await until("all is seen", () => names.size >= 4);
  watcher.close();
  await watching;
  names.delete("web");
  assertEquals(names.size, 3);
  for (const name of names) assert(name.startsWith(".") && name.endsWith(".new"), name);
});

Deno.test("postFile() writes through no symlink", () => {
  using it = world();
  Deno.chmodSync(it.secret, 0o777);
  for (const target of [it.secret, "nowhere", "link"]) {
    Deno.symlinkSync(target, it.dir.file("config", "link"));
    postFile(it.config, "link", "new");
    assert(Deno.lstatSync(`${it.config}/link`).isFile);
    assert(modeOf(`${it.config}/link`) !== 0o777);
    Deno.removeSync(`${it.config}/link`);
  }
  assertEquals(Deno.readTextFileSync(it.secret), "mine");
  assertEquals(namesIn(it.dir.path), ["config", "secret"]);
});

Deno.test("postFile() writes through no symlink at a predictable name", () => {
  using it = world();
  for (const name of [".web", ".web.new", "web.new", "web.tmp", "web~"]) {
    Deno.symlinkSync(it.secret, `${it.config}/${name}`);
  }
  postFile(it.config, "web", "new");
  assertEquals(Deno.readTextFileSync(it.web), "new");
  assertEquals(Deno.readTextFileSync(it.secret), "mine");
});

Deno.test("postFile() leaves nothing behind if it fails", () => {
  using it = world();
  it.dir.dir("config/below");
  assertThrows(() => postFile(it.config, "below", "new"), Error);
  assertThrows(() => postFile(it.config, "below/no/such", "new"), Deno.errors.NotFound);
  assertThrows(() => postFile(it.config, "web/below", "new"), Error);
  assertEquals(namesIn(it.config), ["below", "web"]);
  assertEquals(namesIn(`${it.config}/below`), []);
  assertEquals(Deno.readTextFileSync(it.web), "old");
});

Deno.test("postFile() throws if the directory does not exist", () => {
  using dir = tempDir();
  assertThrows(() => postFile(dir.file("missing"), "web", "new"), Deno.errors.NotFound);
});

Deno.test("removeFile() removes a file, or only the symlink, and throws if there is none", () => {
  using it = world();
  Deno.symlinkSync(it.secret, `${it.config}/link`);
  removeFile(it.config, "link");
  removeFile(it.config, "web");
  assertEquals(namesIn(it.config), []);
  assertEquals(Deno.readTextFileSync(it.secret), "mine");
  assertThrows(() => removeFile(it.config, "web"), Deno.errors.NotFound);
});

Deno.test("readTextFile() throws if the file does not exist", () => {
  assertThrows(() => readTextFile("/no/such/file", 10), Error, "no such file or directory");
});
