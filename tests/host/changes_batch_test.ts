import { assert, assertEquals, assertRejects } from "@std/assert";
import { Changes, type Reading } from "@ncolony/host";
import { CollectedChanges, FakeDirectory, HandClock, namesOf } from "./fakes.ts";

/** A directory whose files are open only when the test says so. */
class SlowDirectory extends FakeDirectory {
  readonly #opening = new Map<string, () => void>();

  /** The names of the files that are being opened. */
  get opening(): string[] {
    return [...this.#opening.keys()];
  }

  override async read(name: string): Promise<Reading | null> {
    assert(!this.#opening.has(name), `${name} is read twice at a time`);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#opening.set(name, resolve);
    await promise;
    this.#opening.delete(name);
    return super.read(name);
  }

  /** Opens these files, and lets everybody take what follows. */
  async open(...names: string[]): Promise<void> {
    for (const name of names) this.#opening.get(name)?.();
    await turn();
  }

  async openAll(): Promise<void> {
    while (this.#opening.size > 0) await this.open(...this.opening);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Names in the order of the alphabet, more than are read at a time. */
const NAMES = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i));

function slowDirectory(clock: HandClock): SlowDirectory {
  const directory = new SlowDirectory(clock);
  for (const name of NAMES) directory.write(name, name);
  return directory;
}

Deno.test("Changes reads sixteen files at a time, and takes them in the order of the listing", async () => {
  const clock = new HandClock();
  const directory = slowDirectory(clock);
  const taken: string[] = [];
  const looking = namesOf(new Changes(directory, clock).lookAtAll(), taken);
  await turn();
  assertEquals(directory.opening, NAMES.slice(0, 16));
  await directory.open("b", "c");
  assertEquals(taken, []);
  await directory.open("a");
  assertEquals(taken, ["a", "b", "c"]);
  await directory.open(...NAMES.slice(3, 15));
  assertEquals([taken, directory.opening], [NAMES.slice(0, 15), ["p"]]);
  await directory.open("p");
  assertEquals(directory.opening, NAMES.slice(16));
  await directory.openAll();
  await looking;
  assertEquals(taken, NAMES);
});

Deno.test("Changes reads what was renamed into place when nothing else is being read", async () => {
  const clock = new HandClock();
  const directory = slowDirectory(clock);
  const renamed: string[] = [];
  const changes = new CollectedChanges(directory, clock, { nextRenamed: () => renamed.shift() });
  directory.onLook = (name) => {
    if (name !== "b") return;
    directory.onLook = () => {};
    directory.write("a", "another");
    renamed.push("a");
  };
  const looking = changes.lookAtAll();
  await turn();
  assertEquals(directory.opening, ["a", "b"]);
  await directory.openAll();
  const look = await looking;
  assertEquals("changes" in look && look.changes.get("a"), { source: "another" });
});

Deno.test("Changes gives others their turn between two files that it has read", async () => {
  const clock = new HandClock();
  const directory = slowDirectory(clock);
  const told: string[] = [];
  directory.onLook = (name) => clock.advance(name === "b" ? 10 : 0);
  clock.onYield = () => told.push("others");
  const looking = namesOf(new Changes(directory, clock).lookAtAll(), told);
  await turn();
  assertEquals(directory.opening, ["a", "b"]);
  await directory.openAll();
  await looking;
  assertEquals(told.slice(0, 4), ["a", "others", "b", "c"]);
});

Deno.test("Changes takes what is renamed into place while others have their turn before the rest that it has read", async () => {
  const clock = new HandClock();
  const directory = slowDirectory(clock);
  const told: string[] = [];
  const renamed: string[] = [];
  directory.onLook = (name) => clock.advance(name === "c" ? 10 : 0);
  clock.onYield = () => {
    clock.onYield = () => {};
    directory.write("c", "newer");
    renamed.push("c");
  };
  const changes = new Changes(directory, clock, { nextRenamed: () => renamed.shift() });
  const looking = namesOf(changes.lookAtAll(), told);
  await turn();
  await directory.open("a");
  assertEquals([told, directory.opening], [["a"], ["b", "c"]]);
  await directory.openAll();
  await looking;
  assertEquals(told.slice(0, 4), ["a", "c", "b", "d"]);
});

Deno.test("Changes is as unsure of a file that it read just after its change as it was then, though others come first", async () => {
  const clock = new HandClock();
  const directory = slowDirectory(clock);
  const changes = new CollectedChanges(directory, clock);
  clock.advance(1990);
  const looking = changes.lookAtAll();
  await directory.open(...NAMES.slice(1));
  clock.advance(20);
  await directory.openAll();
  await looking;
  const again = changes.lookAtAll();
  await turn();
  assertEquals(directory.opening, NAMES.slice(1, 16));
  await directory.openAll();
  await again;
});

Deno.test("Changes reads alone what the system could not read beside others", async () => {
  const clock = new HandClock();
  const directory = slowDirectory(clock);
  const read = directory.read.bind(directory);
  directory.read = async (name) => {
    const hasRoom = directory.opening.length < 3;
    const reading = await read(name);
    return hasRoom || reading === null ? reading : { ...reading, entry: { fault: "EMFILE" }, isTransient: true };
  };
  const renamed: string[] = [];
  clock.onYield = () => renamed.splice(0, 1, "t");
  directory.onLook = (name) => clock.advance(name === "p" ? 10 : 0);
  const taken: [string, unknown][] = [];
  const changes = new Changes(directory, clock, { nextRenamed: () => renamed.shift() });
  const looking = (async () => {
    for await (const { name, entry } of changes.lookAtAll()) taken.push([name, entry]);
  })();
  await turn();
  while (directory.opening.length > 0) await directory.open(directory.opening[0]);
  await looking;
  assertEquals(taken[1][0], "t");
  assertEquals(taken.toSorted(), [...NAMES, "t"].map((name) => [name, { source: name }]));
});

Deno.test("Changes throws the first of what several reads throw", async () => {
  const clock = new HandClock();
  const directory = slowDirectory(clock);
  directory.read = (name) => Promise.reject(new Error(name));
  const looking = namesOf(new Changes(directory, clock).lookAtAll(), []);
  await assertRejects(() => looking, Error, "a");
  await turn();
});
