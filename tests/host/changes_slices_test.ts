import { assertEquals, assertLess } from "@std/assert";
import type { ChangesOptions } from "@ncolony/host";
import { CollectedChanges, FakeDirectory, HandClock, type Look } from "./fakes.ts";

/** The number of files, and the time that a stamp takes, in milliseconds: three stamps are more than a slice. */
const FILES = 20;
const LOOK_MS = 4;

interface World {
  readonly changes: CollectedChanges;
  readonly directory: FakeDirectory;
  readonly clock: HandClock;
  /** The number of stamps in each slice that another one followed. */
  readonly slices: number[];
  /** Aborts at the end of the first slice. */
  readonly signal: AbortSignal;
}

function world(options: ChangesOptions = {}): World {
  const clock = new HandClock();
  const directory = new FakeDirectory(clock);
  const slices: number[] = [];
  const abort = new AbortController();
  let before = 0;
  for (let i = 0; i < FILES; i++) directory.write(`web${i}`, `${i}`);
  directory.onStamp = () => clock.advance(LOOK_MS);
  clock.onYield = () => {
    slices.push(directory.looked.length - before);
    before = directory.looked.length;
    abort.abort();
  };
  return { changes: new CollectedChanges(directory, clock, options), directory, clock, slices, signal: abort.signal };
}

function namesOf(look: Look): string[] {
  if ("fault" in look) throw new Error(look.fault);
  return [...look.changes.keys()];
}

const ALL = Array.from({ length: FILES }, (_, i) => `web${i}`);
const ALL_COMPLETE = ALL.map((name) => [name, true] as const);

Deno.test("Changes yields every 10 ms, in a full scan and in a scan of some names", async () => {
  const { changes, slices } = world();
  assertEquals(namesOf(await changes.scanAll()), ALL);
  // A slice ends only after a stamp.
  assertEquals(slices, Array(6).fill(3));
  slices.length = 0;
  assertEquals(namesOf(await changes.scan(ALL_COMPLETE)), ALL);
  assertLess(5, slices.length);
});

Deno.test("Changes ends a scan early when it is aborted", async () => {
  const { changes, directory, signal } = world();
  assertEquals(namesOf(await changes.scanAll(signal)).length, 3);
  assertEquals(directory.looked.length, 3);
  await changes.scan(ALL_COMPLETE, signal);
  assertEquals(directory.looked.length, 3);
});

Deno.test("Changes ends the scan of another directory early when it is aborted", async () => {
  const { changes, directory, signal } = world();
  await changes.scan([["web1", true]], signal);
  assertEquals(directory.looked.length, 3);
});

Deno.test("Changes takes files that are renamed into place during a scan before the rest", async () => {
  const renamed: string[] = [];
  const { changes, directory, clock } = world({ nextRenamed: () => renamed.shift() });
  await changes.scanAll();
  directory.onStamp = (name) => {
    clock.advance(LOOK_MS);
    if (name !== "web1") return;
    directory.write("late", "late");
    directory.write("later", "later");
    renamed.push("late", "later");
  };
  const names = namesOf(await changes.scan(ALL_COMPLETE));
  assertEquals(names.slice(0, 6), ["web0", "web1", "web2", "late", "later", "web3"]);
});
