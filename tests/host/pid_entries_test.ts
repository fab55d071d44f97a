import { assertEquals } from "@std/assert";
import { PidDirectory } from "@ncolony/host";
import { tempDir } from "../helpers.ts";
import { canRun } from "./actors.ts";

Deno.test("PidDirectory.entries() returns what was written", async () => {
  using dir = tempDir();
  const pids = new PidDirectory(dir.path);
  assertEquals(await pids.entries(), []);
  pids.write("web", 1234);
  dir.write("db", "5678\n");
  assertEquals((await pids.entries()).sort((a, b) => a.pid - b.pid), [
    { name: "web", pid: 1234 },
    { name: "db", pid: 5678 },
  ]);
});

Deno.test("PidDirectory.entries() skips files without a valid pid, with pid 0 or 1, a group or this program's pid", async () => {
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

Deno.test("PidDirectory.entries() returns nothing if the directory is missing", async () => {
  using dir = tempDir();
  const pids = new PidDirectory(dir.dir("pids"));
  Deno.removeSync(dir.file("pids"));
  assertEquals(await pids.entries(), []);
});
