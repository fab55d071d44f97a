import { assertEquals } from "@std/assert";
import { PidDirectory } from "@ncolony/host";
import { tempDir } from "../helpers.ts";

Deno.test("PidDirectory.entries() passes over pids that no system has: Deno.kill would take them modulo 2^32", async () => {
  using dir = tempDir();
  // 0, 1 and -1 in 32 bits.
  for (const pid of [2 ** 32, 2 ** 32 + 1, 2 ** 32 - 1, 2 ** 31]) dir.write(`web${pid}`, `${pid}`);
  assertEquals(await new PidDirectory(dir.path).entries(), []);
});
