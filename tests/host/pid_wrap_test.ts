import { assertEquals } from "@std/assert";
import { PidDirectory } from "@ncolony/host";
import { tempDir } from "../helpers.ts";

Deno.test("PidDirectory.entries() skips impossible pids, which Deno.kill would take modulo 2^32", async () => {
  using dir = tempDir();
  // In 32 bits, the first three are 0, 1 and -1.
  for (const pid of [2 ** 32, 2 ** 32 + 1, 2 ** 32 - 1, 2 ** 31]) dir.write(`web${pid}`, `${pid}`);
  assertEquals(await new PidDirectory(dir.path).entries(), []);
});
