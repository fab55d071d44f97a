import { assert, assertEquals } from "@std/assert";
import { SETTLE_MS } from "@ncolony/host";
import { CollectedChanges, FakeDirectory, HandClock, type Look } from "./fakes.ts";

/** A directory, the Changes of it, and the clock of both. */
class World {
  readonly clock = new HandClock();
  readonly directory = new FakeDirectory(this.clock);
  readonly changes = new CollectedChanges(this.directory, this.clock);

  /** Returns what a full scan finds: the text of each changed name, or null if it is gone. */
  async all(): Promise<Record<string, string | null> | string> {
    return told(await this.changes.scanAll());
  }

  /** Returns what a scan of some names finds, none of which is known to be complete. */
  async some(...names: string[]): Promise<Record<string, string | null> | string> {
    return told(await this.changes.scan(names.map((name) => [name, false])));
  }

  /** Returns what a scan of one name finds that was renamed into place. */
  async complete(name: string): Promise<Record<string, string | null> | string> {
    return told(await this.changes.scan([[name, true]]));
  }

  /** Returns what the due scans find, until everything has settled. */
  async settled(): Promise<Record<string, string | null>> {
    const found = {};
    while (this.changes.due < Infinity) {
      this.clock.advance(Math.max(0, this.changes.due - this.clock.now()));
      Object.assign(found, await this.some(...this.changes.unsettled()));
    }
    return found;
  }
}

function told(look: Look): Record<string, string | null> | string {
  if ("fault" in look) return look.fault;
  const texts = [...look.changes].map(([name, entry]) => [
    name,
    entry === null ? null : "source" in entry ? entry.source : entry.fault,
  ]);
  return Object.fromEntries(texts);
}

/** Returns a world whose directory was scanned once, with files that are old by now. */
async function worldOf(files: Record<string, string>): Promise<World> {
  const world = new World();
  for (const [name, text] of Object.entries(files)) world.directory.write(name, text, 1000);
  await world.all();
  world.directory.takeRead();
  return world;
}

Deno.test("Changes takes all files in the first scan, and none in the next", async () => {
  const world = new World();
  world.directory.write("web", "1");
  world.directory.write("db", "2");
  assertEquals(await world.all(), { web: "1", db: "2" });
  world.clock.advance(5000);
  await world.all();
  assertEquals(await world.all(), {});
});

Deno.test("Changes does not read unchanged files again", async () => {
  const world = await worldOf({ web: "1", db: "2" });
  assertEquals(await world.all(), {});
  assertEquals(await world.some("web"), {});
  assertEquals(world.directory.takeRead(), []);
});

Deno.test("Changes takes a file that is written in place once two scans 100 ms apart find it unchanged, and not before", async () => {
  const world = await worldOf({});
  world.directory.write("web", "1");
  const madeAt = world.clock.now();
  assertEquals(await world.all(), {});
  assertEquals(world.changes.unsettled(), ["web"]);
  assert(world.changes.isUnsettled("web"));
  assertEquals(world.changes.due, madeAt + SETTLE_MS);
  world.clock.advance(SETTLE_MS - 1);
  assertEquals(await world.some("web"), {});
  assertEquals(world.directory.takeRead(), []);
  world.clock.advance(1);
  assertEquals(await world.some("web"), { web: "1" });
  assertEquals(world.changes.unsettled(), []);
  assert(!world.changes.isUnsettled("web"));
  assertEquals(world.changes.due, Infinity);
});

Deno.test("Changes waits again when a file changes before it has settled", async () => {
  const world = await worldOf({});
  world.directory.write("web", "1");
  await world.all();
  world.clock.advance(SETTLE_MS);
  world.directory.write("web", "1 and the rest");
  assertEquals(await world.all(), {});
  assertEquals(world.changes.due, world.clock.now() + SETTLE_MS);
  assertEquals(await world.settled(), { web: "1 and the rest" });
});

Deno.test("Changes is due when the first unsettled file is", async () => {
  const world = await worldOf({});
  world.directory.write("web", "1");
  await world.all();
  const due = world.changes.due;
  world.clock.advance(40);
  world.directory.write("db", "2");
  await world.all();
  assertEquals(world.changes.due, due);
  assertEquals(world.changes.unsettled(), ["web", "db"]);
  assertEquals(await world.settled(), { web: "1", db: "2" });
});

Deno.test("Changes takes a file that was renamed into place at once", async () => {
  const world = await worldOf({ web: "1" });
  world.directory.write("web.new", "22");
  world.directory.rename("web.new", "web");
  assertEquals(await world.complete("web"), { web: "22" });
  assertEquals(world.changes.due, Infinity);
});

Deno.test("Changes takes a change at once if the settle time is 0", async () => {
  const { clock, directory } = await worldOf({});
  const changes = new CollectedChanges(directory, clock, { settleMs: 0 });
  await changes.scanAll();
  directory.write("web", "1");
  assertEquals(told(await changes.scanAll()), { web: "1" });
  directory.remove("web");
  assertEquals(told(await changes.scanAll()), { web: null });
});

Deno.test("Changes takes a removal once it has settled", async () => {
  const world = await worldOf({ web: "1" });
  world.directory.remove("web");
  assertEquals(await world.all(), {});
  world.clock.advance(SETTLE_MS - 1);
  assertEquals(await world.all(), {});
  world.clock.advance(1);
  assertEquals(await world.all(), { web: null });
  assertEquals(await world.all(), {});
});

Deno.test("Changes lets a removal settle even if the name is said to be complete", async () => {
  const world = await worldOf({ web: "1" });
  world.directory.remove("web");
  assertEquals(await world.complete("web"), {});
  assertEquals(await world.settled(), { web: null });
});

Deno.test("Changes finds one edit, and no backup file, when vim writes", async () => {
  const world = await worldOf({ web: "1" });
  world.directory.rename("web", "web~");
  assertEquals(await world.some("web", "web~"), {});
  world.clock.advance(30);
  world.directory.write("web", "");
  assertEquals(await world.all(), {});
  world.clock.advance(30);
  world.directory.write("web", "22");
  world.directory.remove("web~");
  assertEquals(await world.some("web", "web~"), {});
  assertEquals(await world.settled(), { web: "22" });
});

Deno.test("Changes finds one edit when sed -i writes", async () => {
  const world = await worldOf({ web: "1" });
  world.directory.write("sedAb12", "");
  assertEquals(await world.some("sedAb12"), {});
  world.directory.write("sedAb12", "22");
  world.directory.rename("sedAb12", "web");
  assertEquals(await world.some("sedAb12", "web"), {});
  assertEquals(await world.settled(), { web: "22" });
});

Deno.test("Changes reads a file again that it read within 2 s of its last change", async () => {
  const world = await worldOf({});
  world.directory.write("web", "1");
  const mtimeMs = world.clock.wall();
  await world.all();
  assertEquals(await world.settled(), { web: "1" });
  world.directory.write("web", "2", mtimeMs);
  assertEquals(await world.all(), { web: "2" });
  world.clock.advance(2001);
  assertEquals(await world.all(), { web: "2" });
  world.directory.takeRead();
  assertEquals(await world.all(), {});
  assertEquals(world.directory.takeRead(), []);
});

Deno.test("Changes finds a file again that vanished between stamp and read", async () => {
  const world = await worldOf({ web: "1" });
  const vanish = (name: string) => world.directory.remove(name);
  world.directory.write("web", "22");
  world.directory.onRead = vanish;
  assertEquals(await world.complete("web"), {});
  assertEquals(world.changes.unsettled(), ["web"]);
  world.directory.onRead = () => {};
  world.directory.write("web", "22");
  assertEquals(await world.settled(), { web: "22" });
});

Deno.test("Changes takes a text that was written between stamp and read only once that has settled too", async () => {
  const world = await worldOf({ web: "1" });
  world.directory.write("web", "22");
  assertEquals(await world.some("web"), {});
  world.clock.advance(100);
  world.directory.onRead = (name) => world.directory.write(name, "half of");
  assertEquals(await world.some("web"), {});
  world.directory.onRead = () => {};
  world.directory.write("web", "half of all");
  assertEquals(await world.settled(), { web: "half of all" });
});

Deno.test("Changes takes a file that vanished between stamp and read as removed if it stays away", async () => {
  const world = await worldOf({ web: "1" });
  world.directory.write("web", "22");
  world.directory.onRead = (name) => world.directory.remove(name);
  assertEquals(await world.complete("web"), {});
  assertEquals(await world.settled(), { web: null });
});

Deno.test("Changes does not report an unknown file that vanished between stamp and read", async () => {
  const world = await worldOf({});
  world.directory.write("web", "1");
  world.directory.onRead = (name) => world.directory.remove(name);
  assertEquals(await world.complete("web"), {});
  assertEquals(await world.settled(), {});
});

Deno.test("Changes finds in a full scan that one file disappeared and another appeared", async () => {
  const world = await worldOf({ web: "1", db: "2" });
  world.directory.remove("web");
  world.directory.write("www", "1");
  assertEquals(await world.all(), {});
  assertEquals(world.changes.unsettled(), ["www", "web"]);
  assertEquals(await world.settled(), { www: "1", web: null });
});

Deno.test("Changes forgets in a full scan a file that appeared and disappeared before it settled", async () => {
  const world = await worldOf({ web: "1" });
  world.directory.write("web.swp", "half");
  await world.all();
  assertEquals(world.changes.unsettled(), ["web.swp"]);
  world.directory.remove("web.swp");
  assertEquals(await world.all(), {});
  assertEquals(world.changes.unsettled(), []);
});
