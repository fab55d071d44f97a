import { assert } from "@std/assert";
import { configDirectory } from "@ncolony/host";
import { tempDir } from "../helpers.ts";
import { canRun } from "./actors.ts";
import { Trial } from "./children.ts";
import { until } from "../helpers.ts";

Deno.test("Directory.names() holds a FIFO that took the place of one that it held", async () => {
  using dir = tempDir();
  const directory = configDirectory(dir.path);
  for (let i = 0; i < 2; i++) {
    // Both are there for a moment, so that they are two inodes.
    assert(canRun("mkfifo", dir.file("fifo.new")));
    Deno.renameSync(dir.file("fifo.new"), dir.file("fifo"));
    directory.names();
    await using reader = new Trial(["sh", "-c", 'exec 3< "$0"; echo open', dir.file("fifo")]);
    await until("it is open", () => reader.text.stdout === "open\n");
  }
});
