import { assertEquals } from "@std/assert";
import { PidDirectory } from "@ncolony/host";
import { tempDir } from "../helpers.ts";
import { canRun } from "./actors.ts";

Deno.test("PidDirectory.entries() gives what was written", async () => {
  using dir = tempDir();
  const pids = new PidDirectory(dir.path);
  assertEquals(await pids.entries(), []);
  pids.write("web", 1234);
  dir.write("db", "5678\n");
  assertEquals((await pids.entries()).sort((a, b) => a.pid - b.pid), [
    { name: "web", pid: 1234, scope: "group" },
    { name: "db", pid: 5678, scope: "group" },
  ]);
});

Deno.test("PidDirectory.entries() passes over what names nobody, a group, this program, or is no number", async () => {
  using dir = tempDir();
  const texts = [
    "",
    "0",
    "1",
    "-5",
    "+5",
    "0x10",
    "1e3",
    " 7",
    "7 8",
    "web",
    "99999999999",
    `${Deno.pid}`,
    "9".repeat(5000),
  ];
  texts.forEach((text, i) => dir.write(`web${i}`, text));
  for (const name of [".hidden", "web.new", "a\nb"]) dir.write(name, "1234");
  Deno.symlinkSync(dir.write(".target", "1234"), dir.file("link"));
  dir.dir("directory");
  assertEquals(canRun("mkfifo", dir.file("fifo")), true);
  assertEquals(await new PidDirectory(dir.path).entries(), []);
});

Deno.test("PidDirectory.entries() takes the record of the same pid, and no other", async () => {
  using dir = tempDir();
  const pids = new PidDirectory(dir.path);
  const good = { pid: 1234, start: "77", boot: "abc", scope: "process" };
  const entry = { name: "web", pid: 1234, scope: "group" as const };
  dir.write("web", "1234");
  dir.write(".web", JSON.stringify(good));
  assertEquals(await pids.entries(), [{ ...entry, start: "77", boot: "abc", scope: "process" }]);
  const bad = [{ ...good, pid: 4321 }, { ...good, start: 77 }, { ...good, boot: null }, [], null, "x"];
  for (const text of [...bad.map((record) => JSON.stringify(record)), "", '{"pid": 12']) {
    dir.write(".web", text);
    assertEquals(await pids.entries(), [entry]);
  }
  dir.write(".web", JSON.stringify({ ...good, scope: "everybody" }));
  assertEquals(await pids.entries(), [{ ...entry, start: "77", boot: "abc" }]);
});

Deno.test("PidDirectory.remove() removes the record too", () => {
  using dir = tempDir();
  dir.write("web", "1234");
  dir.write(".web", "{}");
  assertEquals(new PidDirectory(dir.path).remove("web"), null);
  assertEquals([...Deno.readDirSync(dir.path)], []);
});

Deno.test("PidDirectory.entries() gives nothing where the directory is gone", async () => {
  using dir = tempDir();
  const pids = new PidDirectory(dir.dir("pids"));
  Deno.removeSync(dir.file("pids"));
  assertEquals(await pids.entries(), []);
});
