import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { configDirectory, type Directory } from "@ncolony/host";
import { type TempDir, tempDir } from "../helpers.ts";
import { Actor, IS_ROOT, NOBODY } from "./actors.ts";

/** The size of the largest config, in bytes, which the kernel sets. */
const MAX_BYTES = 131_056;

/** Makes a directory of config files with `prepare`. */
function config(prepare: (dir: TempDir) => void = () => {}): { dir: TempDir; directory: Directory } & Disposable {
  const dir = tempDir();
  prepare(dir);
  return { dir, directory: configDirectory(dir.path), [Symbol.dispose]: () => dir[Symbol.dispose]() };
}

/** Runs a command, which must succeed. */
function run(command: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(command, { args }).outputSync();
  assert(success, `${command}: ${new TextDecoder().decode(stderr)}`);
}

/** Checks what is read under a name. */
function assertRead(
  directory: Directory,
  name: string,
  entry: { source: string } | { fault: string } | null,
): void {
  assertEquals(directory.read(name)?.entry ?? null, entry);
}

Deno.test("Directory.read() returns only text that belongs to its stamp while another process writes the file", async () => {
  using colony = config();
  const script = `while :; do : > web; printf '{"args": ["cat"]}' > web; done`;
  const writer = new Deno.Command("sh", { args: ["-c", script], cwd: colony.dir.path }).spawn();
  try {
    let read = 0;
    for (const start = performance.now(); read < 300 && performance.now() - start < 20_000;) {
      const reading = colony.directory.read("web");
      if (reading === null || "fault" in reading.entry || reading.entry.source === "") continue;
      const [, size] = reading.stamp.marks;
      assertEquals(reading.entry.source.length, size);
      read++;
    }
    assert(read > 0);
  } finally {
    writer.kill("SIGKILL");
    await writer.status;
  }
});

Deno.test("Directory.path is absolute", () => {
  assertEquals(configDirectory("some/where").path, `${Deno.cwd()}/some/where`);
});

Deno.test("Directory.identity() identifies directories, not paths", () => {
  using dir = tempDir();
  const one = configDirectory(dir.dir("one"));
  const id = one.identity();
  assert("id" in id);
  Deno.symlinkSync("one", dir.file("link"));
  assertEquals(configDirectory(dir.file("link")).identity(), id);
  Deno.renameSync(dir.file("one"), dir.file("old"));
  dir.dir("one");
  assertNotEquals(one.identity(), id);
});

Deno.test("Directory.identity() and names() report why there is no directory", () => {
  using dir = tempDir();
  const missing = configDirectory(dir.file("missing"));
  assertEquals(missing.identity(), { fault: "no such file or directory" });
  assertEquals(missing.names(), { fault: "no such file or directory" });
  const file = configDirectory(dir.write("file", ""));
  assertEquals(file.identity(), { fault: "not a directory" });
  assert("fault" in file.names());
});

Deno.test("Directory.names() omits directories and ignored names", () => {
  using it = config((dir) => {
    for (const name of ["web", "db", "web.new", ".hidden", "new", "web.new.1"]) dir.write(name, "");
    dir.dir("below");
    Deno.symlinkSync("nowhere", dir.file("link"));
  });
  const names = it.directory.names();
  assert(Array.isArray(names));
  assertEquals(names.sort(), ["db", "link", "new", "web", "web.new.1"]);
});

Deno.test("Directory.stamp() returns null for a missing name and for a directory, even behind a symlink", () => {
  using it = config((dir) => {
    dir.dir("below");
    Deno.symlinkSync("below", dir.file("link"));
  });
  for (const name of ["missing", "below", "link"]) {
    assertEquals(it.directory.stamp(name), null);
    assertRead(it.directory, name, null);
  }
});

Deno.test("Directory.stamp() stays the same until a file changes, and read() returns the same stamp", () => {
  using it = config((dir) => dir.write("web", "1"));
  const stamp = it.directory.stamp("web");
  assert(stamp !== null);
  assertEquals(it.directory.stamp("web"), stamp);
  assertEquals(it.directory.read("web")?.stamp, stamp);
  it.dir.write("web", "22");
  assertNotEquals(it.directory.stamp("web"), stamp);
});

Deno.test("Directory.stamp() changes when another file of the same size and time is renamed into place", () => {
  using it = config((dir) => {
    for (const name of ["web", "web.new"]) Deno.utimeSync(dir.write(name, "1"), 1000, 1000);
  });
  const before = it.directory.stamp("web");
  Deno.renameSync(it.dir.file("web.new"), it.dir.file("web"));
  assertNotEquals(it.directory.stamp("web"), before);
});

Deno.test("Directory.stamp() changes when the file behind a symlink changes", () => {
  using it = config((dir) => {
    dir.write(".target", "1");
    Deno.symlinkSync(".target", dir.file("web"));
  });
  const before = it.directory.stamp("web");
  it.dir.write(".target", "22");
  assertNotEquals(it.directory.stamp("web"), before);
});

Deno.test("Directory.read() returns the text of a file byte for byte, even behind a symlink", () => {
  const texts = { web: '{"args": ["é"]}\n', empty: "", bom: "\ufeff{}", replaced: "\ufffd", crlf: "{}\r\n\0" };
  using it = config((dir) => {
    for (const [name, text] of Object.entries(texts)) dir.write(name, text);
    Deno.symlinkSync("web", dir.file("link"));
  });
  for (const [name, text] of Object.entries(texts)) assertRead(it.directory, name, { source: text });
  assertRead(it.directory, "link", { source: texts.web });
});

Deno.test("Directory.read() refuses a file that is not UTF-8", () => {
  using it = config((dir) => Deno.writeFileSync(dir.file("web"), Uint8Array.of(0x7b, 0xff, 0x7d)));
  assertRead(it.directory, "web", { fault: "not valid UTF-8" });
});

Deno.test("Directory.read() takes a file of the largest size, and refuses one with one byte more", () => {
  using it = config((dir) => {
    dir.write("web", "x".repeat(MAX_BYTES));
    dir.write("larger", "x".repeat(MAX_BYTES + 1));
    Deno.truncateSync(dir.write("huge", ""), 2 ** 40);
  });
  assertRead(it.directory, "web", { source: "x".repeat(MAX_BYTES) });
  assertRead(it.directory, "larger", { fault: "must be at most 131056 bytes" });
  assertRead(it.directory, "huge", { fault: "must be at most 131056 bytes" });
});

Deno.test("Directory.read() reads to the end of a file that is longer than its size", async () => {
  using dir = tempDir();
  // Its size is 0, a read returns at most a few KiB, and its mtime is the time of the first access.
  Deno.symlinkSync(`/proc/${Deno.pid}/maps`, dir.file("web"));
  const read = async () => {
    await using actor = new Actor(["read", dir.path, "web"]);
    return JSON.parse(await actor.result()).entry;
  };
  let entry = await read();
  for (let round = 0; "fault" in entry && round < 10; round++) {
    assertEquals(entry, { fault: "the file is still being written" });
    await new Promise((resolve) => setTimeout(resolve, 500));
    entry = await read();
  }
  assert(entry.source.includes(" [stack]\n"));
});

Deno.test("Directory.read() does not open a file that is not regular", async () => {
  using it = config((dir) => {
    run("mkfifo", dir.file("fifo"));
    Deno.symlinkSync("fifo", dir.file("link"));
    Deno.symlinkSync("/dev/zero", dir.file("zero"));
    Deno.symlinkSync("/dev/tty", dir.file("tty"));
  });
  await using listener = new Actor(["listen", it.dir.file("socket")]);
  await listener.says("listening");
  for (const name of ["fifo", "link", "socket", "zero", "tty"]) {
    assert(it.directory.stamp(name) !== null);
    assertRead(it.directory, name, { fault: "not a regular file" });
  }
});

for (const kind of ["config", "messages"]) {
  Deno.test(`Directory.read() does not wait for a FIFO that replaces a file before it is opened: ${kind}`, async () => {
    using dir = tempDir();
    run("mkfifo", dir.file("fifo"));
    dir.write("file", "{}");
    await using swapper = new Actor(["swap", dir.path, "web", "file", "fifo"]);
    await swapper.says("swapping");
    await using reader = new Actor(["reads", dir.path, "web", "20000", kind]);
    const possible = [
      null,
      { fault: "not a regular file" },
      { fault: "the file keeps being replaced" },
      { source: "{}" },
    ].map((entry) => JSON.stringify(entry));
    const found: unknown[] = JSON.parse(await reader.result());
    assertEquals(found.filter((entry) => !possible.includes(JSON.stringify(entry))), []);
  });
}

for (const permissions of [["--allow-all"], ["--allow-read", "--allow-write", "--allow-sys=uid,gid"]]) {
  Deno.test(`MessagesDirectory.read() follows no symlink that replaces a message: ${permissions.join(" ")}`, async () => {
    using dir = tempDir();
    const messages = dir.dir("messages");
    dir.write("secret", "hunter2");
    dir.write("messages/.file", "{}");
    Deno.symlinkSync("../secret", `${messages}/.link`);
    await using swapper = new Actor(["swap", messages, "1", ".file", ".link"]);
    await swapper.says("swapping");
    await using reader = new Actor(["reads", messages, "1", "20000", "messages"], [], "/", permissions);
    const found: { source?: string }[] = JSON.parse(await reader.result());
    assertEquals(found.filter((entry) => entry?.source === "hunter2"), []);
    assert(found.some((entry) => entry?.source === "{}"), JSON.stringify(found));
  });
}

Deno.test("Directory.read() reports dangling and circular symlinks", () => {
  using it = config((dir) => {
    Deno.symlinkSync("nowhere", dir.file("dangling"));
    Deno.symlinkSync("circle", dir.file("circle"));
  });
  assert(it.directory.stamp("dangling") !== null);
  assertRead(it.directory, "dangling", { fault: "dangling symbolic link" });
  assert(it.directory.stamp("circle") !== null);
  assertRead(it.directory, "circle", { fault: "too many levels of symbolic links" });
});

Deno.test("Directory.stamp() changes when a dangling symlink gets a target", () => {
  using it = config((dir) => Deno.symlinkSync(".target", dir.file("web")));
  const before = it.directory.stamp("web");
  it.dir.write(".target", "1");
  assertNotEquals(it.directory.stamp("web"), before);
  assertRead(it.directory, "web", { source: "1" });
});

Deno.test("Directory.read() reports a name that is not UTF-8", () => {
  using it = config((dir) => run("sh", "-c", `: > "$0/$(printf 'a\\377')"`, dir.path));
  assertEquals(it.directory.names(), ["a\ufffd"]);
  assert(it.directory.stamp("a\ufffd") !== null);
  assertRead(it.directory, "a\ufffd", { fault: "the file name is not valid UTF-8" });
});

Deno.test("Directory.names() and read() return nothing, or a reason, if the directory is missing", () => {
  const it = config((dir) => dir.write("web", "1"));
  it[Symbol.dispose]();
  assertEquals(it.directory.names(), { fault: "no such file or directory" });
  assertEquals(it.directory.stamp("web"), null);
  assertRead(it.directory, "web", null);
});

Deno.test({
  name: "Directory.names() and read() report a missing permission (skipped unless run by root)",
  ignore: !IS_ROOT,
  fn: async () => {
    using dir = tempDir();
    Deno.chmodSync(dir.path, 0o755);
    Deno.chmodSync(dir.write("web", "secret"), 0o600);
    Deno.chmodSync(dir.dir("closed"), 0o711);
    await using reader = new Actor(["read", dir.path, "web", `${NOBODY}`]);
    assertEquals(JSON.parse(await reader.result()), { names: ["web"], entry: { fault: "permission denied" } });
    await using lister = new Actor(["read", dir.file("closed"), "web", `${NOBODY}`]);
    assertEquals(JSON.parse(await lister.result()), { names: { fault: "permission denied" }, entry: null });
  },
});
