import { assert, assertEquals, assertThrows } from "@std/assert";
import { configDirectory, denoHost, type Watch } from "@ncolony/host";
import { type TempDir, tempDir, until } from "../helpers.ts";

/** The marks of names, by the kind of change. */
const MARKS = { renamed: "+", gone: "-", changed: "" };

/** A watched directory and its events: `+web` was renamed into place, `-web` is gone, `web` changed. */
class Watched implements AsyncDisposable {
  readonly dir: TempDir = tempDir();
  readonly path: string;
  readonly told: string[] = [];
  readonly watch: Watch;

  /** Watches a directory. `prepare` may fill it before. */
  constructor(prepare: (watched: Watched) => void = () => {}) {
    this.path = this.dir.dir("config");
    prepare(this);
    this.watch = denoHost().watch([this.path], {
      touched: (directory, name, touch) => {
        assertEquals(directory, this.path);
        this.told.push(`${MARKS[touch]}${name}`);
      },
      rescan: () => this.told.push("rescan"),
      failed: (reason) => this.told.push(`failed: ${reason}`),
    });
  }

  file(...names: string[]): string {
    return this.dir.file("config", ...names);
  }

  write(name: string, text = "{}"): void {
    Deno.writeTextFileSync(this.file(name), text);
  }

  /** Returns all events so far: touches one more name and waits for that event, because events come in order. */
  async toldSoFar(): Promise<string[]> {
    this.write("last");
    await until("the last name is told", () => this.told.includes("last"));
    return this.told.slice(0, this.told.indexOf("last"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watch.close();
    this.dir[Symbol.dispose]();
  }
}

Deno.test("watch() reports a rename from an ignored name as complete", async () => {
  await using watched = new Watched();
  watched.write("web.new");
  Deno.renameSync(watched.file("web.new"), watched.file("web"));
  const told = await watched.toldSoFar();
  assertEquals(told.includes("+web"), true);
  assertEquals(new Set(told), new Set(["web", "+web"]));
});

Deno.test("watch() reports a rename over a file from a name that begins with a dot as complete", async () => {
  await using watched = new Watched((it) => it.write("web"));
  watched.write(".1234.new");
  Deno.renameSync(watched.file(".1234.new"), watched.file("web"));
  assertEquals((await watched.toldSoFar()).includes("+web"), true);
});

Deno.test("watch() reports a file that is written in place as not complete", async () => {
  await using watched = new Watched();
  watched.write("web", "1");
  watched.write("web", "2");
  assertEquals(new Set(await watched.toldSoFar()), new Set(["web"]));
});

Deno.test("watch() does not report a file that was opened for writing but not written", async () => {
  await using watched = new Watched((it) => it.write("web"));
  Deno.openSync(watched.file("web"), { read: true, write: true }).close();
  assertEquals(await watched.toldSoFar(), []);
});

Deno.test("watch() reports a rename from a name that is not ignored as not complete", async () => {
  await using watched = new Watched((it) => it.write("sedAb12"));
  Deno.renameSync(watched.file("sedAb12"), watched.file("web"));
  assertEquals(new Set(await watched.toldSoFar()), new Set(["-sedAb12", "sedAb12", "web"]));
});

Deno.test("watch() reports a rename from another directory as not complete", async () => {
  await using watched = new Watched();
  Deno.renameSync(watched.dir.write("web.new", "{}"), watched.file("web"));
  assertEquals(new Set(await watched.toldSoFar()), new Set(["web"]));
});

Deno.test("watch() reports a removal", async () => {
  await using watched = new Watched((it) => it.write("web"));
  Deno.removeSync(watched.file("web"));
  assertEquals(new Set(await watched.toldSoFar()), new Set(["-web"]));
});

Deno.test("watch() reports a file that is renamed to an ignored name", async () => {
  await using watched = new Watched((it) => it.write("web"));
  Deno.renameSync(watched.file("web"), watched.file(".web"));
  assertEquals(new Set(await watched.toldSoFar()), new Set(["-web", "web"]));
});

Deno.test("watch() asks for a scan when `..data` is renamed, as in a ConfigMap", async () => {
  await using watched = new Watched((it) => {
    Deno.mkdirSync(it.file("..2026"));
    Deno.symlinkSync("..2026", it.file("..data"));
    Deno.symlinkSync("..data/web", it.file("web"));
  });
  Deno.symlinkSync("..2027", watched.file("..data_tmp"));
  Deno.renameSync(watched.file("..data_tmp"), watched.file("..data"));
  assertEquals(new Set(await watched.toldSoFar()), new Set(["rescan"]));
});

Deno.test("watch() asks for a scan when the directory is removed", async () => {
  await using watched = new Watched();
  Deno.removeSync(watched.path);
  await until("it says so", () => watched.told.includes("rescan"));
});

Deno.test("watch() asks for a scan when the directory is renamed", async () => {
  await using watched = new Watched();
  Deno.renameSync(watched.path, watched.dir.file("other"));
  await until("it says so", () => watched.told.includes("rescan"));
});

Deno.test("watch() reports neither ignored names nor files in subdirectories", async () => {
  await using watched = new Watched((it) => Deno.mkdirSync(it.file("below")));
  watched.write("web.new");
  watched.write(".hidden");
  Deno.renameSync(watched.file("web.new"), watched.file("db.new"));
  watched.write("below/web");
  Deno.removeSync(watched.file(".hidden"));
  assertEquals(await watched.toldSoFar(), []);
});

Deno.test("watch() does not report scans and reads", async () => {
  await using watched = new Watched((it) => it.write("web"));
  const directory = configDirectory(watched.path);
  directory.identity();
  assertEquals(directory.names(), ["web"]);
  directory.stamp("web");
  directory.read("web");
  assertEquals(await watched.toldSoFar(), []);
});

Deno.test("watch() reports the directory of each event, and a rename between two as not complete", async () => {
  using dir = tempDir();
  const [config, messages] = [dir.dir("config"), dir.dir("messages")];
  const told = new Set<string>();
  const watch = denoHost().watch([config, messages], {
    touched: (directory, name, touch) => told.add(`${MARKS[touch]}${directory}/${name}`),
    rescan: () => told.add("rescan"),
    failed: (reason) => told.add(reason),
  });
  try {
    for (const path of [config, messages]) Deno.writeTextFileSync(`${path}/web`, "{}");
    await until("both are told", () => told.size === 2);
    assertEquals(told, new Set([`${config}/web`, `${messages}/web`]));
    Deno.renameSync(`${messages}/web`, `${messages}/db.new`);
    Deno.renameSync(`${messages}/db.new`, `${config}/db`);
    await until("the rename is told", () => told.has(`${config}/db`));
    Deno.writeTextFileSync(`${config}/last`, "{}");
    await until("the last name is told", () => told.has(`${config}/last`));
    assert(!told.has(`+${config}/db`));
  } finally {
    await watch.close();
  }
});

Deno.test("Watch.close() ends the watch, may be called twice, and leaves nothing in the directory", async () => {
  await using watched = new Watched();
  await using other = new Watched();
  await Promise.all([watched.watch.close(), watched.watch.close()]);
  assertEquals([...Deno.readDirSync(watched.path)], []);
  watched.write("web");
  Deno.removeSync(watched.file("web"));
  await other.toldSoFar();
  assertEquals(watched.told, []);
});

Deno.test({
  name: "Watch.close() releases the operating system's watch",
  sanitizeResources: true,
  fn: async () => {
    await using watched = new Watched();
    watched.write("web");
    await until("it is told", () => watched.told.includes("web"));
  },
});

Deno.test("Watch.close() stops all events at once", async () => {
  await using watched = new Watched();
  watched.write("web");
  await watched.watch.close();
  assertEquals(watched.told, []);
});

Deno.test("Watch.close() ends the watch even if its directory is gone or replaced", async () => {
  for (const replace of [() => {}, (path: string) => Deno.mkdirSync(path)]) {
    await using watched = new Watched();
    Deno.renameSync(watched.path, watched.dir.file("other"));
    replace(watched.path);
    await until("it says so", () => watched.told.includes("rescan"));
    await watched.watch.close();
  }
  await using watched = new Watched();
  watched.write("web");
  await until("a new watch works", () => watched.told.includes("web"));
});

Deno.test("watch() throws if the directory does not exist", () => {
  const sink = { touched: () => {}, rescan: () => {}, failed: () => {} };
  assertThrows(() => denoHost().watch(["/no/such/directory"], sink), Error);
});
