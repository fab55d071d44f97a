import { assert, assertEquals, assertRejects } from "@std/assert";
import { checker, messages, type MonitorEventReceiver } from "@ncolony/monitor";
import { type TempDir, tempDir } from "../helpers.ts";

/** Records its calls. Throws on the calls in `fails`. */
class Notes implements MonitorEventReceiver {
  readonly #calls: string[] = [];
  readonly #fails: readonly string[];

  constructor(fails: readonly string[] = []) {
    this.#fails = fails;
  }

  add(name: string, contents: string): void {
    this.#record(`add ${name} ${contents}`);
  }

  remove(name: string): void {
    this.#record(`remove ${name}`);
  }

  message(contents: string): void {
    this.#record(`message ${contents}`);
  }

  /** Returns the calls since the previous `take()`. */
  take(): string[] {
    return this.#calls.splice(0);
  }

  #record(what: string): void {
    this.#calls.push(what);
    if (this.#fails.includes(what)) throw new RangeError(`no ${what}`);
  }
}

function mkfifo(dir: TempDir, name: string): void {
  const { success } = new Deno.Command("mkfifo", { args: [dir.file(name)] }).outputSync();
  assert(success);
}

function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

Deno.test("checker() reports new, changed (as removed, then added) and removed files", async () => {
  using dir = tempDir();
  const notes = new Notes();
  const check = checker(dir.path, notes);
  await check();
  assertEquals(notes.take(), []);
  dir.write("web", "1");
  dir.write("db", "a");
  await check();
  assertEquals(notes.take().sort(), ["add db a", "add web 1"]);
  await check();
  assertEquals(notes.take(), []);
  dir.write("web", "2");
  await check();
  assertEquals(notes.take(), ["remove web", "add web 2"]);
  Deno.removeSync(dir.file("db"));
  await check();
  await check();
  assertEquals(notes.take(), ["remove db"]);
});

Deno.test("checker() reports a change of the same size within the same millisecond", async () => {
  using dir = tempDir();
  const notes = new Notes();
  const check = checker(dir.path, notes);
  for (let i = 0; i < 50; i++) {
    dir.write("web", String(i % 10));
    await check();
  }
  assertEquals(notes.take().filter((what) => what.startsWith("add")).length, 50);
});

Deno.test("checker() does not report a file that was written again unchanged", async () => {
  using dir = tempDir();
  const notes = new Notes();
  const check = checker(dir.path, notes);
  dir.write("web", "1");
  await check();
  notes.take();
  dir.write("fresh", "1");
  Deno.renameSync(dir.file("fresh"), dir.file("web"));
  await check();
  assertEquals(notes.take(), []);
});

Deno.test("checker() skips ignored names, directories, and files that are not readable text", async () => {
  using dir = tempDir();
  const notes = new Notes();
  const check = checker(dir.path, notes);
  dir.write(".hidden", "1");
  dir.write("web.new", "1");
  dir.dir("directory");
  mkfifo(dir, "fifo");
  Deno.writeFileSync(dir.file("binary"), Uint8Array.of(0xff, 0xfe));
  dir.write("large", "x".repeat(131_057));
  dir.write("largest", "x".repeat(131_056));
  Deno.symlinkSync("/nowhere/at/all", dir.file("dangling"));
  Deno.symlinkSync(dir.file(".hidden"), dir.file("link"));
  await check();
  assertEquals(notes.take().map((what) => what.slice(0, 12)).sort(), ["add largest ", "add link 1"]);
});

Deno.test("checker() keeps a file's last text while the file cannot be read", async () => {
  using dir = tempDir();
  const notes = new Notes();
  const check = checker(dir.path, notes);
  dir.write("web", "1");
  await check();
  Deno.writeFileSync(dir.file("web"), Uint8Array.of(0xff));
  await check();
  dir.write("web", "1");
  await check();
  assertEquals(notes.take(), ["add web 1"]);
  Deno.writeFileSync(dir.file("web"), Uint8Array.of(0xff));
  await check();
  Deno.removeSync(dir.file("web"));
  await check();
  assertEquals(notes.take(), ["remove web"]);
});

Deno.test("checker() reports the other files if the receiver throws, and rejects with all of its errors", async () => {
  using dir = tempDir();
  const notes = new Notes(["add web 1", "remove web", "add db a"]);
  const check = checker(dir.path, notes);
  dir.write("web", "1");
  dir.write("db", "a");
  dir.write("job", "x");
  const first = await assertRejects(check, AggregateError, "The receiver failed for files in");
  assertEquals(first.errors.map(String).sort(), ["RangeError: no add db a", "RangeError: no add web 1"]);
  assertEquals(notes.take().sort(), ["add db a", "add job x", "add web 1"]);
  dir.write("web", "2");
  const second = await assertRejects(check, AggregateError);
  assertEquals(second.errors.map(String), ["RangeError: no remove web"]);
  assertEquals(notes.take(), ["remove web", "add web 2"]);
  await check();
  assertEquals(notes.take(), []);
});

Deno.test("checker() rejects if the directory is missing, and continues when it is back", async () => {
  using dir = tempDir();
  const notes = new Notes();
  const config = dir.dir("config");
  const check = checker(config, notes);
  Deno.writeTextFileSync(`${config}/web`, "1");
  await check();
  Deno.renameSync(config, dir.file("elsewhere"));
  await assertRejects(check, Error, "Cannot read directory");
  Deno.renameSync(dir.file("elsewhere"), config);
  await check();
  assertEquals(notes.take(), ["add web 1"]);
});

Deno.test("checker() rejects if the directory was replaced by an empty one, and reports nothing", async () => {
  using dir = tempDir();
  const notes = new Notes();
  const config = dir.dir("config");
  const check = checker(config, notes);
  Deno.writeTextFileSync(`${config}/web`, "1");
  await check();
  notes.take();
  Deno.renameSync(config, dir.file("elsewhere"));
  Deno.mkdirSync(config);
  await assertRejects(check, Error, "it is empty and not the same directory as before");
  assertEquals(notes.take(), []);
});

Deno.test("messages() reports messages in the order of their names, and removes them", async () => {
  using dir = tempDir();
  const notes = new Notes();
  const scan = messages(dir.path, notes);
  for (const name of ["2", "10", "1"]) dir.write(name, `text ${name}`);
  dir.write(".3", "text 3");
  dir.write("4.new", "text 4");
  dir.dir("5");
  await scan();
  assertEquals(notes.take(), ["message text 1", "message text 10", "message text 2"]);
  assertEquals(namesIn(dir.path), [".3", "4.new", "5"]);
  await scan();
  assertEquals(notes.take(), []);
});

Deno.test("messages() reports the other messages if the receiver throws, and rejects the failed one", async () => {
  using dir = tempDir();
  const notes = new Notes(["message b"]);
  for (const name of ["a", "b", "c"]) dir.write(name, name);
  const error = await assertRejects(messages(dir.path, notes), AggregateError, "The receiver failed for files in");
  assertEquals(error.errors.map(String), ["RangeError: no message b"]);
  assertEquals(notes.take(), ["message a", "message b", "message c"]);
  assertEquals(namesIn(dir.path), [".rejected"]);
  assertEquals(namesIn(dir.file(".rejected")), ["b"]);
});

Deno.test("messages() rejects files that are not readable text, and follows no symbolic link", async () => {
  using dir = tempDir();
  const notes = new Notes();
  const secret = dir.write(".secret", "secret");
  Deno.symlinkSync(secret, dir.file("link"));
  mkfifo(dir, "fifo");
  dir.write("large", "x".repeat(65_537));
  Deno.writeFileSync(dir.file("binary"), Uint8Array.of(0xff));
  dir.write("last", "x");
  await messages(dir.path, notes)();
  assertEquals(notes.take(), ["message x"]);
  assertEquals(namesIn(dir.path), [".rejected", ".secret"]);
  assertEquals(namesIn(dir.file(".rejected")), ["binary", "fifo", "large", "link"]);
  assertEquals(Deno.readTextFileSync(secret), "secret");
});

Deno.test("messages() throws if the directory is missing", async () => {
  using dir = tempDir();
  await assertRejects(messages(dir.file("nowhere"), new Notes()), Error, "Cannot read directory");
});
