import { assertEquals } from "@std/assert";
import { postFile } from "@ncolony/host";
import { tempDir } from "../helpers.ts";

Deno.test("postFile() keeps permission bits that the umask takes from new files", () => {
  using dir = tempDir();
  const path = dir.write("web", "old");
  for (const mode of [0o666, 0o664, 0o777]) {
    Deno.chmodSync(path, mode);
    postFile(dir.path, "web", "new");
    assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, mode);
  }
});
