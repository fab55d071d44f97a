import { assert, assertEquals, assertRejects } from "@std/assert";
import { Changes, type Reading } from "@ncolony/host";
import { CollectedChanges, FakeDirectory, HandClock } from "./fakes.ts";

/** A directory whose files are open only when the test says so. */
class SlowDirectory extends FakeDirectory {
  readonly #opening = new Map<string, () => void>();

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

  /** Opens a file, and lets everybody take what follows. */
  async open(name: string): Promise<void> {
    this.#opening.get(name)?.();
    await turn();
  }

  async openAll(): Promise<void> {
    while (this.#opening.size > 0) await this.open(this.opening[0]);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

const NAMES = ["a", "b", "c", "d", "e", "f"];

function slowDirectory(clock: HandClock): SlowDirectory {
  const directory = new SlowDirectory(clock);
  for (const name of NAMES) directory.write(name, name);
  return directory;
}

Deno.test("Changes has four files opened at a time, and takes each as soon as it is open", async () => {
  const clock = new HandClock();
  const directory = slowDirectory(clock);
  const taken: string[] = [];
  const looking = new Changes(directory, clock, (name) => taken.push(name)).lookAtAll();
  await turn();
  assertEquals(directory.opening, ["a", "b", "c", "d"]);
  await directory.open("c");
  assertEquals(taken, ["c"]);
  await directory.open("a");
  assertEquals([taken, directory.opening], [["c", "a"], ["b", "d", "e"]]);
  let isOver = false;
  const over = looking.then(() => isOver = true);
  for (const name of ["b", "d", "e"]) await directory.open(name);
  assertEquals([directory.opening, isOver], [["f"], false]);
  await directory.openAll();
  await over;
  assertEquals(taken, ["c", "a", "b", "d", "e", "f"]);
});

Deno.test("Changes reads what was renamed into place only when nothing else is being opened", async () => {
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

Deno.test("Changes throws what is thrown when it passes a change on", async () => {
  const clock = new HandClock();
  const directory = slowDirectory(clock);
  const changes = new Changes(directory, clock, (name) => {
    if (name === "c" || name === "d") throw new Error(name);
  });
  const looking = changes.lookAtAll();
  const rejected = assertRejects(() => looking, Error, "c");
  await turn();
  for (const name of ["d", "c", "b", "a"]) await directory.open(name);
  await directory.openAll();
  await rejected;
});
