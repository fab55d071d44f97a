import { assertEquals } from "@std/assert";
import { CollectedChanges, FakeDirectory, HandClock, type Look } from "./fakes.ts";

interface World {
  readonly clock: HandClock;
  readonly directory: FakeDirectory;
  readonly changes: CollectedChanges;
}

/** Two processes, both known. */
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

/** What everything looks like when it has settled. */
async function settled({ clock, changes }: World): Promise<string[] | string> {
  assertEquals(namesOf(await changes.scanAll()), []);
  clock.advance(100);
  return namesOf(await changes.scanAll());
}

function empty({ directory }: World): void {
  directory.remove("web");
  directory.remove("db");
}

Deno.test("Changes changes nothing while the directory is gone, and goes on when it is back", async () => {
  const it = await world();
  it.directory.fault = "is not there";
  assertEquals(namesOf(await it.changes.scanAll()), "is not there");
  assertEquals(namesOf(await it.changes.scan([["web", true]])), "is not there");
  it.clock.advance(1000);
  assertEquals(namesOf(await it.changes.scanAll()), "is not there");
  it.directory.fault = null;
  assertEquals(namesOf(await it.changes.scanAll()), []);
});

Deno.test("Changes forgets what had not settled when the directory goes, and finds it when it is back", async () => {
  const it = await world();
  it.directory.write("new", "3");
  assertEquals(namesOf(await it.changes.scan([["new", false]])), []);
  it.directory.fault = "is not there";
  assertEquals(namesOf(await it.changes.scan([["new", false]])), "is not there");
  assertEquals([it.changes.due, it.changes.unsettled()], [Infinity, []]);
  it.directory.fault = null;
  assertEquals(await settled(it), ["new"]);
});

Deno.test("Changes forgets what had not settled when another directory that is empty takes its place", async () => {
  const it = await world();
  it.directory.remove("web");
  assertEquals(namesOf(await it.changes.scanAll()), []);
  it.directory.id = "2:2";
  empty(it);
  assertEquals(typeof namesOf(await it.changes.scanAll()), "string");
  assertEquals([it.changes.due, it.changes.unsettled()], [Infinity, []]);
});

Deno.test("Changes has a first look also after a directory that was not there", async () => {
  const clock = new HandClock();
  const directory = new FakeDirectory(clock);
  const changes = new CollectedChanges(directory, clock);
  directory.fault = "is not there";
  assertEquals(namesOf(await changes.scanAll()), "is not there");
  directory.fault = null;
  directory.write("web", "1");
  assertEquals(namesOf(await changes.scanAll()), ["web"]);
});

Deno.test("Changes takes the look at a name for one at all where there was none before", async () => {
  const clock = new HandClock();
  const directory = new FakeDirectory(clock);
  directory.write("web", "1");
  directory.write("db", "2");
  assertEquals(namesOf(await new CollectedChanges(directory, clock).scan([["web", false]])), ["db", "web"]);
});

Deno.test("Changes changes nothing where the directory is empty and another one, as after an unmount", async () => {
  const it = await world();
  empty(it);
  it.directory.id = "2:2";
  const fault = "is empty, and another directory than before (unmounted?)";
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

Deno.test("Changes sees everything removed where the same directory is emptied", async () => {
  const it = await world();
  empty(it);
  assertEquals(await settled(it), ["-db", "-web"]);
});

Deno.test("Changes compares names with another directory that is not empty", async () => {
  const it = await world();
  empty(it);
  it.directory.id = "2:2";
  it.directory.write("web", "1", 1000);
  assertEquals(await settled(it), ["-db", "web"]);
});

Deno.test("Changes looks at everything where a name is said to change in another directory", async () => {
  const it = await world();
  it.directory.id = "2:2";
  it.directory.remove("db");
  assertEquals(namesOf(await it.changes.scan([["web", false]])), []);
  assertEquals(it.changes.unsettled(), ["db"]);
});

Deno.test("Changes sees everything removed where another directory was filled and then emptied", async () => {
  const it = await world();
  it.directory.id = "2:2";
  await it.changes.scanAll();
  empty(it);
  assertEquals(await settled(it), ["-db", "-web"]);
});
