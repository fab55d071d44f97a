import { assertEquals } from "@std/assert";
import { configDirectory, denoClock } from "@ncolony/host";
import { tempDir } from "../helpers.ts";
import { CollectedChanges } from "./fakes.ts";

Deno.test("Changes finds an edit in the same second that keeps size and time", async () => {
  using dir = tempDir();
  const path = dir.file("web");
  const write = (text: string) => {
    Deno.writeTextFileSync(path, text);
    Deno.utimeSync(path, 1000, 1000);
    return Deno.statSync(path).ctime?.getTime();
  };
  for (;;) {
    const changes = new CollectedChanges(configDirectory(dir.path), denoClock, { settleMs: 0 });
    const first = write("1");
    await changes.scanAll();
    if (write("2") !== first) continue;
    const look = await changes.scanAll();
    assertEquals("changes" in look && [...look.changes], [["web", { source: "2" }]]);
    break;
  }
});
