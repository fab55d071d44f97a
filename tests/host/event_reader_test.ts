/** `EventReader` reads each event once, whatever happens to the files. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { formatEvent, formatHealth, formatMonitorEvent, formatRecorded, type ToldEvent } from "@ncolony/core";
import { join } from "@std/path";
import { EventFile } from "../../host/files/event_file.ts";
import { publish } from "../../host/files/published.ts";
import { EventReader } from "../../host/output/event_reader.ts";
import { Random } from "../core/random.ts";
import { type TempDir, tempDir, until } from "../helpers.ts";

const NOW = 1_790_000_000_000;

function lineOf(id: number, name = "web"): string {
  return formatRecorded(NOW + id, name, formatEvent({ event: "killed" }, NOW + id));
}

const idsOf = (events: readonly ToldEvent[]) => events.map(({ id }) => (id ?? NaN) - NOW);

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}

/** Runs with a writer and a reader of one directory. */
function withBoth(run: (reader: EventReader, writer: EventFile, dir: TempDir) => void): void {
  using dir = tempDir();
  const [reader, writer] = [new EventReader(dir.path), new EventFile(dir.path)];
  try {
    run(reader, writer, dir);
  } finally {
    reader.close();
    writer.close();
  }
}

Deno.test("EventReader reads the events after an id, all, or none, over both files, and then what is added", () => {
  withBoth((_, writer, { path }) => {
    // 1 MiB and a half.
    for (let id = 1; id <= 15_000; id += 500) {
      writer.append(numbers(id, id + 500).map((id) => lineOf(id)).join(""));
    }
    assert(Deno.statSync(join(path, ".events")).size + Deno.statSync(join(path, ".events.1")).size > 1_200_000);
    const readers = ([[0, 1], [NOW + 1, 2], [NOW + 9000, 9001], [NOW + 15_000, 15_001], [null, 15_001]] as const).map(
      ([since, first]) => {
        const reader = new EventReader(path);
        assertEquals(idsOf(reader.since(since)), numbers(first, 15_001));
        return reader;
      },
    );
    // Events of a clock that was ahead are lost, and ids began again.
    const ahead = new EventReader(path);
    assertEquals(ahead.since(NOW + 1e12), []);
    writer.append(lineOf(15_001));
    for (const reader of [...readers, ahead]) {
      assertEquals(idsOf(reader.more()), [15_001]);
      assertEquals(reader.more(), []);
      reader.close();
    }
  });
});

Deno.test("EventReader loses no event and returns none twice while the file is renamed, removed and written again", () => {
  for (let seed = 1; seed <= 4; seed++) {
    withBoth((reader, writer, { path }) => {
      const random = new Random(seed);
      let last = random.below(3000);
      writer.append(numbers(0, last).map((id) => lineOf(id)).join(""));
      const seen = idsOf(reader.since(0));
      for (let at = 0; at < 60; at++) {
        const next = last + random.below(1500);
        // After a full disk, events are written again, after a part of a line.
        const from = Math.max(0, last - random.below(5));
        if (from < last) writer.append(lineOf(last).slice(0, 20 + random.below(20)) + "\n");
        if (next > from) writer.append(numbers(from, next).map((id) => lineOf(id, `child${id}`)).join(""));
        last = next;
        if (random.chance(0.5)) seen.push(...idsOf(reader.more()));
        if (random.chance(0.1)) {
          seen.push(...idsOf(reader.more()));
          Deno.removeSync(join(path, ".events"));
        }
      }
      seen.push(...idsOf(reader.more()));
      assertEquals(seen, numbers(0, last), `seed ${seed}`);
    });
  }
});

Deno.test("EventReader begins with the first event, if there was none, and skips lines that are none", () => {
  withBoth((reader, writer) => {
    assertEquals(reader.since(NOW + 5), []);
    assertEquals(reader.more(), []);
    const lines = [
      "",
      "nonsense",
      "[]",
      "null",
      '{"id":1}',
      `{"id":-1,"name":"web","at":"2026-01-31T03:00:00.000Z","event":"killed"}`,
      `{"id":9007199254740991,"name":"web","at":"2026-01-31T03:00:00.000Z","event":"killed"}`,
      `{"id":1.5,"name":"web","at":"2026-01-31T03:00:00.000Z","event":"killed"}`,
      `{"id":1,"name":["web"],"at":"2026-01-31T03:00:00.000Z","event":"killed"}`,
      `{"id":1,"at":"2026-01-31T03:00:00.000Z","event":"killed"}`,
      `{"id":1,"name":"web","at":"yesterday","event":"killed"}`,
      `{"id":1,"name":"web","at":"2026-01-31T03:00:00.000Z","event":3}`,
      "x".repeat(3_000_000),
      "\x00\xff",
    ];
    writer.append(`${lines.join("\n")}\n${lineOf(1)}`);
    assertEquals(idsOf(reader.more()), [1]);
  });
});

Deno.test("EventReader reports a file that it cannot read, and goes on when it can", () => {
  withBoth((reader, writer, { path }) => {
    Deno.mkdirSync(join(path, ".events"));
    assertThrows(() => reader.since(0), Error, '.events": not a regular file');
    assertThrows(() => reader.more(), Error, '.events": not a regular file');
    Deno.removeSync(join(path, ".events"));
    writer.append(lineOf(1));
    assertEquals(idsOf(reader.more()), [1]);
  });
});

Deno.test("an event with long texts and lists is recorded with short ones, and another one as it is", () => {
  const keys = numbers(0, 5000).map((id) => `key ${id}`);
  const cause = { kind: "config", keys } as const;
  const [long, short] = [cause, { ...cause, keys: keys.slice(0, 100) }].map((cause, id) => {
    return JSON.parse(formatRecorded(id, "web", formatEvent({ event: "stop-requested", cause }, NOW)));
  });
  assertEquals([long.cause.keys.length, short.cause.keys.length], [10, 100]);
  const problem = { message: "x".repeat(50_000), field: "args", line: 1, column: 2, since: NOW };
  const told = JSON.parse(formatRecorded(1, "web", formatEvent({ event: "problem", problem }, NOW)));
  assert(told.message.length < 600);
  assertEquals([told.field, told.line, told.event], ["args", 1, "problem"]);
});

Deno.test("EventReader notices when a checker finds a process unhealthy or healthy, and not when it knows nothing", async () => {
  using dir = tempDir();
  const checker = dir.dir(".httpcheck");
  const report = (name: string, isHealthy: boolean | null, reason = "status 503") => {
    publish(checker, name, formatHealth({ isHealthy, since: NOW, last: NOW, reason, incarnation: 1 }));
  };
  report("web", true);
  report("sick", false);
  using reader = { it: new EventReader(dir.path), [Symbol.dispose]: () => reader.it.close() };
  assertEquals(reader.it.since(null), []);
  const next = async () => {
    const events = await until("there is an event", () => {
      const events = reader.it.more();
      return events.length > 0 && events;
    });
    return events.map(({ id, at, name, event, check, reason }) => [id, at, name, event, check, reason]);
  };
  const at = new Date(NOW).toISOString();
  report("web", false);
  assertEquals(await next(), [[null, at, "web", "unhealthy", "httpcheck", "status 503"]]);
  // During a restart, nothing is known.
  report("web", null);
  report("sick", null);
  Deno.mkdirSync(join(checker, "folder"));
  Deno.symlinkSync("/etc/passwd", join(checker, "link"));
  report("last", false);
  assertEquals(await next(), [[null, at, "last", "unhealthy", "httpcheck", "status 503"]]);
  report("web", false);
  report("sick", true, "x".repeat(10_000));
  const [[, , name, event, , reason], ...others] = await next() as [string[], ...unknown[]];
  assertEquals([name, event, reason.length < 600, others], ["sick", "healthy", true, []]);
  // A checker that begins, and a job of the scheduler.
  publish(
    dir.dir(".scheduler"),
    "backup",
    '{"version":1,"healthy":false,"since":"2026-01-31T03:00:00.000Z","reason":"exit code 3"}',
  );
  assertEquals(await next(), [[null, "2026-01-31T03:00:00.000Z", "backup", "unhealthy", "scheduler", "exit code 3"]]);
  Deno.removeSync(join(checker, "web"));
  Deno.removeSync(checker, { recursive: true });
  dir.dir(".httpcheck");
  report("web", true, "status 200");
  assertEquals(await next(), [[null, at, "web", "healthy", "httpcheck", "status 200"]]);
});

Deno.test("EventReader notices once that the monitor is gone, but not if it stopped, or if its directory was removed", () => {
  withBoth((reader, writer, dir) => {
    const lock = (name: string) => {
      const file = Deno.openSync(join(dir.dir(name), ".lock"), { read: true, write: true, create: true });
      assert(file.tryLockSync(true));
      return file;
    };
    const names = () => reader.more().map(({ id, name, event }) => [id === null, name, event]);
    const own = (id: number, event: "monitor-started" | "monitor-stopped") => {
      writer.append(formatRecorded(NOW + id, null, formatMonitorEvent(event, 52, NOW + id)));
    };
    const status = dir.path;
    const first = lock(".");
    assertEquals(reader.since(null), []);
    Deno.renameSync(join(status, ".lock"), join(status, "removed"));
    assertEquals(names(), []);
    Deno.renameSync(join(status, "removed"), join(status, ".lock"));
    assertEquals(names(), []);
    first.close();
    assertEquals(names(), [[true, null, "monitor-gone"]]);
    assertEquals(names(), []);

    const second = lock(".");
    own(1, "monitor-started");
    assertEquals(names(), [[false, null, "monitor-started"]]);
    own(2, "monitor-stopped");
    second.close();
    assertEquals(names(), [[false, null, "monitor-stopped"]]);
    assertEquals(names(), []);

    const third = lock(".");
    own(3, "monitor-started");
    assertEquals(names(), [[false, null, "monitor-started"]]);
    third.close();
    assertEquals(names(), [[true, null, "monitor-gone"]]);
  });
});
