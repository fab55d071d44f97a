import { assertEquals } from "@std/assert";
import { CollectedChanges, FakeDirectory, HandClock, type Look } from "./fakes.ts";

interface World {
  readonly clock: HandClock;
  readonly directory: FakeDirectory;
  readonly changes: CollectedChanges;
}

/** Creates a directory with two processes, both known. */
async function world(): Promise<World> {
  const clock = new HandClock();
  const directory = new FakeDirectory(clock);
  const changes = new CollectedChanges(directory, clock);
  directory.write("web", "1", 1000);
  directory.write("db", "2", 1000);
  await changes.scanAll();
  return { clock, directory, changes };
}

function namesOf(look: Look): string[] | string {
  return "fault" in look ? look.fault : [...look.changes].map(([name, entry]) => entry ? name : `-${name}`).sort();
}

/** Returns what a full scan finds once everything has settled. */
async function settled({ clock, changes }: World): Promise<string[] | string> {
  assertEquals(namesOf(await changes.scanAll()), []);
  clock.advance(100);
  return namesOf(await changes.scanAll());
}

function empty({ directory }: World): void {
  directory.remove("web");
  directory.remove("db");
}

Deno.test("Changes reports no change while the directory is missing, and goes on once it is back", async () => {
  const it = await world();
  it.directory.fault = "no such file or directory";
  assertEquals(namesOf(await it.changes.scanAll()), "no such file or directory");
  assertEquals(namesOf(await it.changes.scan([["web", true]])), "no such file or directory");
  it.clock.advance(1000);
  assertEquals(namesOf(await it.changes.scanAll()), "no such file or directory");
  it.directory.fault = null;
  assertEquals(namesOf(await it.changes.scanAll()), []);
});

Deno.test("Changes forgets unsettled files when the directory disappears, and finds them once it is back", async () => {
  const it = await world();
  it.directory.write("new", "3");
  assertEquals(namesOf(await it.changes.scan([["new", false]])), []);
  it.directory.fault = "no such file or directory";
  assertEquals(namesOf(await it.changes.scan([["new", false]])), "no such file or directory");
  assertEquals([it.changes.due, it.changes.unsettled()], [Infinity, []]);
  it.directory.fault = null;
  assertEquals(await settled(it), ["new"]);
});

Deno.test("Changes forgets unsettled files when an empty directory replaces the directory", async () => {
  const it = await world();
  it.directory.remove("web");
  assertEquals(namesOf(await it.changes.scanAll()), []);
  it.directory.id = "2:2";
  empty(it);
  assertEquals(typeof namesOf(await it.changes.scanAll()), "string");
  assertEquals([it.changes.due, it.changes.unsettled()], [Infinity, []]);
});

Deno.test("Changes makes its first scan even after the directory was missing", async () => {
  const clock = new HandClock();
  const directory = new FakeDirectory(clock);
  const changes = new CollectedChanges(directory, clock);
  directory.fault = "no such file or directory";
  assertEquals(namesOf(await changes.scanAll()), "no such file or directory");
  directory.fault = null;
  directory.write("web", "1");
  assertEquals(namesOf(await changes.scanAll()), ["web"]);
});

Deno.test("Changes turns a scan of one name into a full scan if there was none before", async () => {
  const clock = new HandClock();
  const directory = new FakeDirectory(clock);
  directory.write("web", "1");
  directory.write("db", "2");
  assertEquals(namesOf(await new CollectedChanges(directory, clock).scan([["web", false]])), ["db", "web"]);
});

Deno.test("Changes reports no change if the directory is empty and another one, as after an unmount", async () => {
  const it = await world();
  empty(it);
  it.directory.id = "2:2";
  const fault = "it is empty and not the same directory as before (unmounted?)";
  for (let look = 0; look < 3; look++) {
    assertEquals(namesOf(await it.changes.scanAll()), fault);
    assertEquals(namesOf(await it.changes.scan([["web", false]])), fault);
    it.clock.advance(1000);
  }
  assertEquals(it.changes.due, Infinity);
  it.directory.id = "1:1";
  it.directory.write("web", "1", 1000);
  it.directory.write("db", "2", 1000);
  assertEquals(await settled(it), ["db", "web"]);
});

Deno.test("Changes reports all files removed if the same directory is emptied", async () => {
  const it = await world();
  empty(it);
  assertEquals(await settled(it), ["-db", "-web"]);
});

Deno.test("Changes compares its files with another directory that is not empty", async () => {
  const it = await world();
  empty(it);
  it.directory.id = "2:2";
  it.directory.write("web", "1", 1000);
  assertEquals(await settled(it), ["-db", "web"]);
});

Deno.test("Changes scans all names of another directory, even if only one is said to change", async () => {
  const it = await world();
  it.directory.id = "2:2";
  it.directory.remove("db");
  assertEquals(namesOf(await it.changes.scan([["web", false]])), []);
  assertEquals(it.changes.unsettled(), ["db"]);
});

Deno.test("Changes reports all files removed if another directory was filled and then emptied", async () => {
  const it = await world();
  it.directory.id = "2:2";
  await it.changes.scanAll();
  empty(it);
  assertEquals(await settled(it), ["-db", "-web"]);
});
