import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { configDirectory, messageDirectory } from "@ncolony/host";
import { distrust } from "../../host/trust.ts";
import { tempDir } from "../helpers.ts";
import { Actor, canRun, IS_ROOT, NOBODY } from "./actors.ts";

const SHARED = [0o666, 0o664, 0o646];

/** Why a path is not trusted with these permissions. */
function whyNot(path: string, mode: number): string | null {
  Deno.chmodSync(path, mode);
  return distrust(path, Deno.statSync(path));
}

Deno.test("distrust() trusts what only its owner can write, who is root or this program's user", () => {
  using dir = tempDir();
  for (const mode of [0o600, 0o644, 0o400, 0o755]) assertEquals(whyNot(dir.write("web", ""), mode), null);
  assertEquals(distrust("/", Deno.statSync("/")), null);
});

Deno.test("distrust() names the mode of what others can write, sticky or not", () => {
  using dir = tempDir();
  for (const mode of SHARED) {
    assertEquals(whyNot(dir.write("web", ""), mode), `may be written by others (mode 0${mode.toString(8)})`);
  }
  assertEquals(whyNot(dir.dir("config"), 0o1777), "may be written by others (mode 1777)");
  assertEquals([...Deno.readDirSync(dir.file("config"))], []);
});

Deno.test({
  name: "distrust() names the owner, where that is somebody else (skipped unless run by root)",
  ignore: !IS_ROOT,
  fn: () => {
    using dir = tempDir();
    Deno.chownSync(dir.write("web", ""), NOBODY, NOBODY);
    assertMatch(whyNot(dir.file("web"), 0o600) ?? "", /^belongs to uid 65534, which is neither root nor the monitor's/);
  },
});

Deno.test("configDirectory() reads no file that others can write, until that is mended", async () => {
  using dir = tempDir();
  const directory = configDirectory(dir.path);
  const path = dir.write("web", "{}");
  for (const mode of SHARED) {
    Deno.chmodSync(path, mode);
    assertEquals((await directory.read("web"))?.entry, {
      fault: `may be written by others (mode 0${mode.toString(8)})`,
    });
  }
  const before = directory.look("web");
  Deno.chmodSync(path, 0o644);
  assertEquals((await directory.read("web"))?.entry, { source: "{}" });
  assertNotEquals(directory.look("web"), before);
});

Deno.test("configDirectory() looks at the file behind a link, not at the link", async () => {
  using dir = tempDir();
  Deno.chmodSync(dir.write(".target", "{}"), 0o666);
  Deno.symlinkSync(".target", dir.file("web"));
  assertEquals((await configDirectory(dir.path).read("web"))?.entry, { fault: "may be written by others (mode 0666)" });
});

Deno.test("configDirectory() refuses a directory that others can write, and says the way out", () => {
  using dir = tempDir();
  for (const mode of [0o777, 0o775, 0o1777]) {
    Deno.chmodSync(dir.path, mode);
    const identity = configDirectory(dir.path).identity();
    const shown = `0${mode.toString(8)}`.slice(-4);
    assertEquals(identity, { fault: `may be written by others (mode ${shown}): chmod, chown, or --allow-insecure` });
  }
});

Deno.test("configDirectory() trusts everybody where it is told to", async () => {
  using dir = tempDir();
  Deno.chmodSync(dir.write("web", "{}"), 0o666);
  Deno.chmodSync(dir.path, 0o777);
  const directory = configDirectory(dir.path, true);
  assertEquals("id" in directory.identity(), true);
  assertEquals((await directory.read("web"))?.entry, { source: "{}" });
});

Deno.test("Mailbox.isShared() says whether others may write the directory, all messages of which are read", async () => {
  using dir = tempDir();
  const mailbox = messageDirectory(dir.path);
  dir.write("message", "{}");
  for (const [mode, shared] of [[0o700, false], [0o755, false], [0o1777, true], [0o770, true]] as const) {
    Deno.chmodSync(dir.path, mode);
    assertEquals(mailbox.isShared(), shared);
    assertEquals("id" in mailbox.identity(), true);
    assertEquals((await mailbox.read("message"))?.entry, { source: "{}" });
  }
  assertEquals(messageDirectory(dir.file("missing")).isShared(), false);
});

Deno.test({
  name: "distrust() trusts what is mounted read-only, whatever its mode (skipped where nothing can be mounted)",
  ignore: !(IS_ROOT && canRun("unshare", "--mount", "true")),
  fn: async () => {
    using dir = tempDir();
    for (const [options, expected] of [["ro", null], ["rw", "may be written by others (mode 0777)"]] as const) {
      const script = `mount -t tmpfs -o mode=0777,${options} none "$0" && exec "$@"`;
      await using actor = new Actor(["trust", dir.path], ["unshare", "--mount", "sh", "-c", script, dir.path]);
      assertEquals(JSON.parse(await actor.result()), { distrust: expected });
    }
  },
});
