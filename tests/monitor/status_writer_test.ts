import { parseRecorded, parseStatus, type RecordedEvent } from "@ncolony/core";
import type { StatusFiles } from "@ncolony/host";
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { Statuses } from "../../monitor/statuses.ts";
import { StatusWriter } from "../../monitor/status_writer.ts";
import { FakeClock } from "./fake_clock.ts";

/** A status directory in memory. */
class FakeFiles implements StatusFiles {
  readonly path = "/status";
  isHeld = true;
  /** Why nothing can be recorded. Null if it can. */
  fault: string | null = null;
  recorded: RecordedEvent[] = [];
  batches = 0;
  /** The id of the last event that each file shows. */
  readonly shown = new Map<string, number | null>();
  /** Called before a file is written. */
  onWrite: (name: string) => void = () => {};

  lock(): Promise<null> {
    return Promise.resolve(null);
  }

  names(): string[] {
    return [];
  }

  read(): null {
    return null;
  }

  write(name: string, { status }: { readonly status: string }): null {
    this.onWrite(name);
    this.shown.set(name, parseStatus(status)!.facts.lastEvent);
    return null;
  }

  writeOwn(): null {
    return null;
  }

  lastEventId(): number {
    return this.recorded.at(-1)?.id ?? 0;
  }

  record(lines: string): string | null {
    if (this.fault !== null) return this.fault;
    this.batches++;
    this.recorded.push(...lines.split("\n").slice(0, -1).map((line) => parseRecorded(line)!));
    return null;
  }

  remove(): null {
    return null;
  }

  restore(): null {
    return null;
  }

  close(): void {}
}

/** A writer with a status directory in memory. */
class World {
  readonly clock = new FakeClock();
  readonly files = new FakeFiles();
  readonly lines: string[] = [];
  readonly statuses: Statuses = new Statuses({
    wall: () => this.clock.wall(),
    saved: () => null,
    isWhole: true,
    record: (name, event) => this.writer.record(name, event),
    onChange: (name) => this.writer.touch(name),
  });
  readonly writer = new StatusWriter({
    files: this.files,
    statuses: this.statuses,
    clock: this.clock,
    log: { info: (line) => void this.lines.push(line), warn: (line) => void this.lines.push(line) },
    thresholdMs: 1000,
    pid: 52,
    monitor: () => ({}),
    usages: () => [],
  });

  /** Has the config of a process found invalid, which is an event. */
  spoil(name: string, message: string): void {
    const problem = { message, field: null, line: null, column: null };
    this.statuses.config(name, { wants: null, problem, source: null });
  }

  ids(): number[] {
    return this.files.recorded.map(({ id }) => id);
  }
}

Deno.test("StatusWriter records the events of a batch at once, and loses none, however many happen at once", async () => {
  const world = new World();
  await world.writer.open();
  for (let at = 0; at < 100; at++) world.spoil("web", `problem ${at}`);
  assertEquals(world.files.batches, 0);
  await world.clock.advance(40);
  assertEquals([world.files.batches, world.files.recorded.length], [1, 101]);
  for (let at = 0; at < 5000; at++) world.spoil(`child${at}`, "x".repeat(100));
  await world.clock.advance(40);
  assertEquals(world.files.recorded.length, 5101);
  const ids = world.ids();
  assert(ids.every((id, at) => at === 0 || id > ids[at - 1]!));
});

Deno.test("StatusWriter keeps a limited number of events that cannot be recorded: the last ones", async () => {
  const world = new World();
  await world.writer.open();
  world.files.fault = "no space left on device";
  for (let at = 0; at < 20_000; at++) world.spoil("web", `problem ${at}`);
  await world.clock.advance(40);
  world.writer.scanned();
  assertEquals(world.lines, ['cannot keep the status directory "/status" up to date: no space left on device']);
  world.files.fault = null;
  world.writer.scanned();
  const { recorded } = world.files;
  assertLess(JSON.stringify(recorded).length, 300_000);
  assertGreater(recorded.length, 1000);
  assertEquals(
    recorded.map(({ message }) => message),
    recorded.map((_, at) => `problem ${20_000 - recorded.length + at}`),
  );
  assertEquals(world.lines.slice(1), ['the status directory "/status" is up to date again']);
  await world.writer.close();
  assertEquals(recorded.at(-1)?.event, "monitor-stopped");
});

Deno.test("StatusWriter writes no file that shows the result of an event that is not recorded", async () => {
  const world = new World();
  await world.writer.open();
  world.files.onWrite = (name) => {
    // Another process changes while the files of a batch are written.
    if (name === "one") world.spoil("two", "later");
    const last = world.statuses.get(name).problem?.message;
    assert(world.files.recorded.some((event) => event.name === name && event.message === last), `${name}: ${last}`);
  };
  world.spoil("one", "first");
  await world.clock.advance(40);
  assertEquals(world.files.shown, new Map(world.files.recorded.slice(1).map(({ id, name }) => [name!, id])));
  assertEquals([...world.files.shown.keys()], ["one", "two"]);
});

Deno.test("the ids of StatusWriter grow while the clock is set back, and go on from what another monitor recorded", async () => {
  const world = new World();
  const event = (id: number, name: string) => {
    return parseRecorded(JSON.stringify({ id, name, at: "2026-01-31T03:00:00.000Z", event: "killed" }))!;
  };
  const later = world.clock.wall() + 3_600_000;
  world.files.recorded.push(event(later, "web"));
  await world.writer.open();
  world.spoil("web", "one");
  world.clock.wallShiftMs = -10_000_000;
  world.spoil("web", "two");
  await world.clock.advance(40);
  assertEquals(world.ids().map((id) => id - later), [0, 1, 2, 3]);
  // It loses the lock to another monitor, and gets it back. What happened meanwhile is older than what that recorded.
  world.files.isHeld = false;
  world.files.fault = "another program holds its lock file";
  world.spoil("web", "three");
  world.files.fault = null;
  world.files.recorded.push(event(later + 50, "web"));
  world.writer.scanned();
  world.files.isHeld = true;
  world.spoil("web", "four");
  await world.clock.advance(40);
  assertEquals(world.ids().map((id) => id - later), [0, 1, 2, 3, 50, 51]);
});
