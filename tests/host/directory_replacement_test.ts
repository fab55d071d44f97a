import { assertEquals } from "@std/assert";
import { configDirectory, denoClock } from "@ncolony/host";
import { tempDir } from "../helpers.ts";
import { CollectedChanges } from "./fakes.ts";

Deno.test("Directory.stamp() returns null for a missing name with U+FFFD", () => {
  using dir = tempDir();
  const directory = configDirectory(dir.dir("caf\ufffd"));
  assertEquals(directory.stamp("web"), null);
  assertEquals(directory.stamp("we\ufffd"), null);
  assertEquals(directory.read("we\ufffd"), null);
});

Deno.test("Changes finds the removal of a file whose name has U+FFFD, and of one whose name is not UTF-8", async () => {
  using dir = tempDir();
  dir.write("we\ufffd", "{}");
  sh(`: > "$0/$(printf 'a\\377')"`, dir.path);
  const changes = new CollectedChanges(configDirectory(dir.path), denoClock, { settleMs: 0 });
  await changes.scanAll();
  for (const { name } of Deno.readDirSync(dir.path)) if (name.startsWith("w")) Deno.removeSync(dir.file(name));
  sh(`rm "$0"/a*`, dir.path);
  const look = await changes.scanAll();
  assertEquals("changes" in look && [...look.changes].sort(), [["a\ufffd", null], ["we\ufffd", null]]);
});

Deno.test("Directory.names() returns two names that are not UTF-8 and look the same once, so that no removal is missed", async () => {
  using dir = tempDir();
  dir.write("web", "{}");
  sh(`: > "$0/$(printf 'a\\377')"`, dir.path);
  const directory = configDirectory(dir.path);
  const changes = new CollectedChanges(directory, denoClock, { settleMs: 0 });
  await changes.scanAll();
  Deno.removeSync(dir.file("web"));
  sh(`: > "$0/$(printf 'a\\376')"`, dir.path);
  assertEquals(directory.names(), ["a\ufffd"]);
  const look = await changes.scanAll();
  assertEquals("changes" in look && look.changes.get("web"), null);
});

function sh(script: string, path: string): void {
  new Deno.Command("sh", { args: ["-c", script, path] }).outputSync();
}
