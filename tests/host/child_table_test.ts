import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import type { ChildRecord } from "../../host/children/child_record.ts";
import { ChildTable } from "../../host/children/child_table.ts";
import { type TempDir, tempDir } from "../helpers.ts";
import { replace } from "./fakes.ts";

function record(name: string, pid: number | null = null): ChildRecord {
  const rules = { stopSignal: "SIGINT", killTimeMs: 60_000, killScope: "process" } as const;
  return { name, config: "17-abc", rules, boot: "b", pid, start: pid === null ? null : "123456789012" };
}

function opened(dir: TempDir): ChildTable {
  const table = new ChildTable(dir.path);
  table.load();
  return table;
}

function loaded(dir: TempDir): ChildRecord[] {
  return new ChildTable(dir.path).load().sort((a, b) => a.name < b.name ? -1 : 1);
}

Deno.test("ChildTable gives a successor the last record of each child", () => {
  using dir = tempDir();
  const table = opened(dir);
  for (const name of ["web", "db", "gone"]) assertEquals(table.put(record(name)), null);
  assertEquals([table.put(record("web", 4711)), table.remove("gone"), table.remove("never")], [null, null, null]);
  assertEquals(loaded(dir), [record("db"), record("web", 4711)]);
});

Deno.test("ChildTable makes a file that no other user may read, and removes it once it is empty", () => {
  using dir = tempDir();
  const table = opened(dir);
  assertEquals((Deno.statSync(dir.file(".children")).mode ?? 0) & 0o777, 0o600);
  table.put(record("web"));
  table.close();
  assertEquals(loaded(dir), [record("web")]);
  const next = opened(dir);
  next.remove("web");
  next.close();
  assertEquals([...Deno.readDirSync(dir.path)], []);
});

Deno.test("ChildTable keeps each record in its line, and reuses free lines", () => {
  using dir = tempDir();
  const table = opened(dir);
  const size = () => Deno.statSync(dir.file(".children")).size;
  const before = size();
  for (let i = 0; i < 500; i++) {
    for (const name of ["web", "db"]) table.put(record(name));
    for (const name of ["web", "db"]) table.put(record(name, 1000 + i));
    table.remove("db");
  }
  assertEquals(size(), before);
  assertEquals(loaded(dir), [record("web", 1499)]);
});

Deno.test("ChildTable takes names of any length, with all characters that a name may contain", () => {
  using dir = tempDir();
  const table = opened(dir);
  const names = ["x".repeat(255), '"'.repeat(255), "\\".repeat(255), "ü".repeat(127), "a b", "\ud83d\ude80"];
  for (const name of names) assertEquals(table.put(record(name, 5)), null);
  assertEquals(loaded(dir).map(({ name }) => name), names.toSorted());
});

Deno.test("ChildTable is the same for a successor, whatever was recorded, removed and recorded again", () => {
  const name = fc.constantFrom("a", "b", '"'.repeat(255), "d");
  const act = fc.record({ name, act: fc.constantFrom("prepare", "start", "remove", "check", "vanish", "reopen") });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      using dir = tempDir();
      let table = opened(dir);
      const expected = new Map<string, ChildRecord>();
      for (const { name, act } of acts) {
        if (act === "check") table.check();
        else if (act === "vanish") {
          Deno.removeSync(dir.file(".children"));
          table.check();
        } else if (act === "reopen") table = opened(dir);
        else if (act === "remove") {
          table.remove(name);
          expected.delete(name);
        } else {
          expected.set(name, record(name, act === "start" ? 77 : null));
          table.put(expected.get(name)!);
        }
      }
      assertEquals(new Map(loaded(dir).map((record) => [record.name, record])), expected);
    }),
    { numRuns: 100 },
  );
});

Deno.test("ChildTable.check() restores the file if it is missing, empty or replaced", () => {
  const harms: ((dir: TempDir) => void)[] = [
    (dir) => Deno.removeSync(dir.file(".children")),
    (dir) => Deno.truncateSync(dir.file(".children")),
    (dir) => {
      Deno.removeSync(dir.file(".children"));
      dir.write(".children", "something else");
    },
  ];
  for (const harm of harms) {
    using dir = tempDir();
    const table = opened(dir);
    table.put(record("web", 7));
    harm(dir);
    assertEquals(table.check(), null);
    assertEquals(loaded(dir), [record("web", 7)]);
    table.put(record("db", 8));
    assertEquals(loaded(dir), [record("db", 8), record("web", 7)]);
  }
});

Deno.test("ChildTable records children in existing lines if the disk is full, and reports if no line is free", () => {
  using dir = tempDir();
  const table = opened(dir);
  table.put(record("web"));
  const { size } = Deno.statSync(dir.file(".children"));
  const write = Deno.FsFile.prototype.writeSync;
  using _full = replace(Deno.FsFile.prototype, "writeSync", function (this: Deno.FsFile, bytes): number {
    // A disk on which no file can grow.
    if (this.seekSync(0, Deno.SeekMode.Current) + bytes.length > size) throw new Error("ENOSPC");
    return write.call(this, bytes);
  });
  assertEquals(table.put(record("web", 7)), null);
  const faults = Array.from({ length: 100 }, (_, i) => table.put(record(`other${i}`, 9)));
  assertEquals([faults[0], faults.at(-1)], [null, "ENOSPC"]);
  assertEquals(table.check(), "ENOSPC");
  assertEquals(loaded(dir).filter(({ name }) => name === "web"), [record("web", 7)]);
  assertEquals(loaded(dir).length, 64);
});

Deno.test("ChildTable.check() writes what could not be written, once it can be", () => {
  using dir = tempDir();
  const table = opened(dir);
  {
    using _full = replace(Deno.FsFile.prototype, "writeSync", () => {
      throw new Error("ENOSPC");
    });
    assertEquals([table.put(record("web", 7)), table.check()], ["ENOSPC", "ENOSPC"]);
  }
  assertEquals(loaded(dir), []);
  assertEquals(table.check(), null);
  assertEquals(loaded(dir), [record("web", 7)]);
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name), [".children"]);
});

Deno.test("ChildTable ignores torn and invalid lines, and a file with a second hard link", () => {
  using dir = tempDir();
  const good = JSON.stringify(record("web", 7));
  const bad = ["{", "[]", "null", "", '{"name": "../x", "config": ""}', '{"name": 1, "config": ""}', '{"name": "x"}'];
  const odd = { ...record("db"), pid: -1, start: 5, boot: 6, rules: { stopSignal: "SIGFUN", killTimeMs: -1 } };
  const rules = { stopSignal: "SIGTERM", killScope: "all" } as const;
  const without = { ...record("jobs", 9), rules: undefined };
  const lines = [...bad, good, ...[odd, without].map((line) => JSON.stringify(line)), `{"name": "torn", "conf`];
  dir.write(".children", lines.join("\n"));
  assertEquals(loaded(dir), [
    { ...record("db"), boot: null, rules },
    { ...record("jobs", 9), rules },
    record("web", 7),
  ]);
  const table = opened(dir);
  table.put(record("api", 8));
  assertEquals(table.check(), null);
  assertEquals(loaded(dir).map(({ name }) => name), ["api", "db", "jobs", "web"]);
  Deno.linkSync(dir.file(".children"), dir.file("other"));
  assertEquals(loaded(dir), []);
});

Deno.test("ChildTable reports why there is no file, and works without one", () => {
  const table = new ChildTable("/no/such/directory");
  assertEquals(table.load(), []);
  assertMatch(table.put(record("web")) ?? "", /no such file or directory/);
  assertMatch(table.check() ?? "", /no such file or directory/);
  assertEquals(table.remove("web"), null);
  table.close();
});

Deno.test("ChildTable needs no file descriptor to record a child", () => {
  using dir = tempDir();
  const table = opened(dir);
  using _none = replace(Deno, "openSync", () => {
    throw new Error("Too many open files");
  });
  assertEquals([table.put(record("web")), table.put(record("web", 7))], [null, null]);
  assert(Deno.readTextFileSync(dir.file(".children")).includes('"pid":7'));
});
