import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { configDirectory, messageDirectory, type TrustOptions } from "@ncolony/host";
import { makeOwnDirectory } from "../../host/files/own_directory.ts";
import { whyUntrusted } from "../../host/files/trust.ts";
import { type TempDir, tempDir } from "../helpers.ts";
import { Actor, canRun, IS_ROOT, NOBODY, withUmask } from "./actors.ts";

const SHARED = [0o666, 0o664, 0o646];
const WAY_OUT = "; fix it with chmod or chown, or use --allow-insecure or --trust-read-only-mount";

/** Returns why a path is not trusted with these permissions. */
function whyNot(path: string, mode: number): string | null {
  Deno.chmodSync(path, mode);
  return whyUntrusted(path, Deno.statSync(path), {});
}

/** Returns why a config directory may not be used. Null if it may. */
function whyNotConfig(path: string, trust: TrustOptions = {}): string | null {
  const found = configDirectory(path, trust).identity();
  return "fault" in found ? found.fault : null;
}

/** Returns what reading a config finds. */
function entryOf(path: string, name: string, trust: TrustOptions = {}): unknown {
  return configDirectory(path, trust).read(name)?.entry;
}

function chown(path: string): void {
  const { isSymlink } = Deno.lstatSync(path);
  if (!isSymlink) Deno.chownSync(path, NOBODY, NOBODY);
  else if (!canRun("chown", "-h", `${NOBODY}`, path)) throw new Error(`Cannot chown ${path}`);
}

Deno.test("whyUntrusted() trusts a file that only its owner can write to, if that is root or the current user", () => {
  using dir = tempDir();
  for (const mode of [0o600, 0o644, 0o400, 0o755]) assertEquals(whyNot(dir.write("web", ""), mode), null);
  assertEquals(whyUntrusted("/", Deno.statSync("/"), {}), null);
});

Deno.test("whyUntrusted() names the mode of a path that other users can write to, sticky or not", () => {
  using dir = tempDir();
  for (const mode of SHARED) {
    assertEquals(whyNot(dir.write("web", ""), mode), `writable by other users (mode 0${mode.toString(8)})`);
  }
  assertEquals(whyNot(dir.dir("config"), 0o1777), "writable by other users (mode 1777)");
  assertEquals([...Deno.readDirSync(dir.file("config"))], []);
});

Deno.test({
  name: "whyUntrusted() names the owner if that is another user (skipped unless run by root)",
  ignore: !IS_ROOT,
  fn: () => {
    using dir = tempDir();
    chown(dir.write("web", ""));
    assertMatch(whyNot(dir.file("web"), 0o600) ?? "", /^owned by uid 65534, which is neither root nor the monitor's/);
  },
});

Deno.test("configDirectory() reads a file that other users can write to only after its mode is corrected", () => {
  using dir = tempDir();
  const directory = configDirectory(dir.path);
  const path = dir.write("web", "{}");
  for (const mode of SHARED) {
    Deno.chmodSync(path, mode);
    assertEquals(directory.read("web")?.entry, {
      fault: `writable by other users (mode 0${mode.toString(8)})`,
    });
  }
  const before = directory.stamp("web");
  Deno.chmodSync(path, 0o644);
  assertEquals(directory.read("web")?.entry, { source: "{}" });
  assertNotEquals(directory.stamp("web"), before);
});

Deno.test("configDirectory() checks the target of a symlink, not the symlink", async () => {
  using dir = tempDir();
  Deno.chmodSync(dir.write(".target", "{}"), 0o666);
  Deno.symlinkSync(".target", dir.file("web"));
  assertEquals(await entryOf(dir.path, "web"), { fault: "writable by other users (mode 0666)" });
});

Deno.test("configDirectory() refuses a directory that other users can write to, and names the remedies", () => {
  using dir = tempDir();
  for (const mode of [0o777, 0o775, 0o1777]) {
    Deno.chmodSync(dir.path, mode);
    const shown = `0${mode.toString(8)}`.slice(-4);
    assertEquals(whyNotConfig(dir.path), `writable by other users (mode ${shown})${WAY_OUT}`);
  }
});

Deno.test("configDirectory() trusts all users with allowInsecure", () => {
  using dir = tempDir();
  Deno.chmodSync(dir.write("web", "{}"), 0o666);
  Deno.chmodSync(dir.path, 0o777);
  const directory = configDirectory(dir.path, { allowInsecure: true });
  assertEquals("id" in directory.identity(), true);
  assertEquals(directory.read("web")?.entry, { source: "{}" });
});

Deno.test("configDirectory() refuses a directory if other users can write to any directory above it", () => {
  using dir = tempDir();
  const config = dir.dir("a/b/config");
  for (const above of ["a/b", "a"]) {
    Deno.chmodSync(dir.file(above), 0o777);
    assertEquals(
      whyNotConfig(config),
      `its parent directory ${JSON.stringify(dir.file(above))} is writable by other users (mode 0777)${WAY_OUT}`,
    );
    Deno.chmodSync(dir.file(above), 0o1777);
    assertEquals(whyNotConfig(config), null, "in a sticky one they can change nothing that is not theirs");
    Deno.chmodSync(dir.file(above), 0o755);
  }
});

/** Paths to a config of which one component (`theirs`) belongs to another user, and the resulting fault. */
const WAYS: Readonly<Record<string, { prepare: (dir: TempDir) => string; theirs: string; why: string }>> = {
  "the parent directory": {
    prepare: (dir) => dir.dir("home/config"),
    theirs: "home",
    why: 'its parent directory "DIR/home" is owned by uid 65534',
  },
  "a symlink to the directory": {
    prepare: (dir) => {
      dir.dir("real");
      Deno.symlinkSync("real", dir.file("config"));
      return dir.file("config");
    },
    theirs: "config",
    why: 'the symbolic link "DIR/config" is owned by uid 65534',
  },
  "the parent of a symlink's target": {
    prepare: (dir) => {
      dir.dir("home/real");
      Deno.symlinkSync("home/real", dir.file("config"));
      return dir.file("config");
    },
    theirs: "home",
    why: 'its parent directory "DIR/home" is owned by uid 65534',
  },
  "the second of two symlinks": {
    prepare: (dir) => {
      dir.dir("real");
      Deno.symlinkSync("real", dir.file("second"));
      Deno.symlinkSync(dir.file("second"), dir.file("config"));
      return dir.file("config");
    },
    theirs: "second",
    why: 'the symbolic link "DIR/second" is owned by uid 65534',
  },
  "a directory that a symlink only passes through": {
    prepare: (dir) => {
      dir.dir("real");
      dir.dir("home");
      Deno.symlinkSync("home/../real", dir.file("config"));
      return dir.file("config");
    },
    theirs: "home",
    why: 'its parent directory "DIR/home" is owned by uid 65534',
  },
};

for (const [what, { prepare, theirs, why }] of Object.entries(WAYS)) {
  Deno.test({
    name: `configDirectory() refuses a path if ${what} belongs to another user (skipped unless run by root)`,
    ignore: !IS_ROOT,
    fn: async () => {
      using dir = tempDir();
      const config = prepare(dir);
      Deno.writeTextFileSync(`${config}/web`, "{}");
      dir.dir("colony");
      Deno.symlinkSync(`${config}/web`, dir.file("colony", "web"));
      assertEquals([whyNotConfig(config), await entryOf(dir.file("colony"), "web")], [null, { source: "{}" }]);
      chown(dir.file(theirs));
      const expected = why.replace("DIR", dir.path);
      assertStringIncludes(whyNotConfig(config) ?? "", expected);
      assertStringIncludes(
        JSON.stringify(await entryOf(dir.file("colony"), "web")),
        JSON.stringify(expected).slice(1, -1),
      );
      assertEquals(whyNotConfig(config, { allowInsecure: true }), null);
    },
  });
}

Deno.test({
  name: "configDirectory() reads no file of root's that another user may have put there (skipped unless run by root)",
  ignore: !IS_ROOT,
  fn: async () => {
    using dir = tempDir();
    const shared = dir.dir("shared");
    Deno.chmodSync(shared, 0o1777);
    dir.dir("config");
    Deno.writeTextFileSync(`${shared}/web`, "{}");
    Deno.symlinkSync(`${shared}/web`, dir.file("config", "web"));
    assertEquals(await entryOf(dir.file("config"), "web"), { source: "{}" });
    Deno.removeSync(`${shared}/web`);
    Deno.linkSync(dir.write("log", "{}"), `${shared}/web`);
    assertEquals(await entryOf(dir.file("config"), "web"), {
      fault: "has several hard links, in a directory that other users can write to",
    });
    Deno.removeSync(`${shared}/web`);
    chown(dir.write("shared/web", "{}"));
    assertMatch(JSON.stringify(await entryOf(dir.file("config"), "web")), /uid 65534 owns .* and can replace it/);
  },
});

Deno.test("configDirectory() reads an unchanged config again after the path to it was corrected", () => {
  using dir = tempDir();
  dir.dir("elsewhere");
  dir.dir("config");
  dir.write("elsewhere/web", "{}");
  Deno.symlinkSync("../elsewhere/web", dir.file("config", "web"));
  Deno.chmodSync(dir.file("elsewhere"), 0o777);
  const reading = configDirectory(dir.file("config")).read("web");
  assertMatch(JSON.stringify(reading?.entry), /its parent directory/);
  assertEquals(reading?.isTransient, true);
});

Deno.test("configDirectory() stops at circular symlinks", () => {
  using dir = tempDir();
  Deno.symlinkSync("two", dir.file("one"));
  Deno.symlinkSync("one", dir.file("two"));
  assertEquals(whyNotConfig(dir.file("one")), "too many levels of symbolic links");
});

Deno.test("MessagesDirectory.isShared() is true if other users may write to the directory, which does not prevent read()", () => {
  using dir = tempDir();
  const messagesDirectory = messageDirectory(dir.path);
  dir.write("message", "{}");
  for (const [mode, shared] of [[0o700, false], [0o755, false], [0o1777, true], [0o770, true]] as const) {
    Deno.chmodSync(dir.path, mode);
    assertEquals(messagesDirectory.isShared(), shared);
    assertEquals("id" in messagesDirectory.identity(), true);
    assertEquals(messagesDirectory.read("message")?.entry, { source: "{}" });
  }
  assertEquals(messageDirectory(dir.file("missing")).isShared(), false);
});

Deno.test("MessagesDirectory.identity() refuses a directory that other users can replace, not one they can write to", () => {
  using dir = tempDir();
  const messagesDirectory = messageDirectory(dir.dir("home/messages"));
  Deno.chmodSync(messagesDirectory.path, 0o777);
  assertEquals("id" in messagesDirectory.identity(), true);
  Deno.chmodSync(dir.file("home"), 0o777);
  assertEquals(messagesDirectory.identity(), {
    fault: `its parent directory ${JSON.stringify(dir.file("home"))} is writable by other users (mode 0777); ` +
      "fix it with chmod or chown, or use --allow-insecure",
    isUntrusted: true,
  });
});

Deno.test({
  name: "MessagesDirectory.identity() refuses another user's directory in a sticky one (skipped unless root)",
  ignore: !IS_ROOT,
  fn: () => {
    using dir = tempDir();
    const messagesDirectory = messageDirectory(dir.dir("home/messages"));
    chown(messagesDirectory.path);
    assertEquals("id" in messagesDirectory.identity(), true);
    Deno.chmodSync(dir.file("home"), 0o1777);
    assertMatch(JSON.stringify(messagesDirectory.identity()), /uid 65534 owns .* and can replace it/);
  },
});

Deno.test("makeOwnDirectory() makes all missing directories with mode 0750, whatever the umask", async () => {
  for (const umask of ["000", "077"]) {
    using dir = tempDir();
    await using actor = new Actor(["make", dir.file("run", "logs")], withUmask(umask));
    await actor.result();
    for (const name of ["run", "run/logs"]) assertEquals((Deno.statSync(dir.file(name)).mode ?? 0) & 0o777, 0o750);
  }
});

Deno.test("makeOwnDirectory() makes nothing on a path that other users can change, and keeps an existing mode", () => {
  using dir = tempDir();
  dir.dir("home");
  Deno.chmodSync(dir.file("home"), 0o777);
  const refusal = (path: string) => {
    try {
      makeOwnDirectory(path, {});
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };
  assertMatch(
    refusal(dir.file("home", "logs")) ?? "",
    /^Cannot use directory ".*logs": its parent directory ".*home" is writable by/,
  );
  assertEquals([...Deno.readDirSync(dir.file("home"))], []);
  Deno.chmodSync(dir.dir("logs"), 0o711);
  assertEquals(refusal(dir.file("logs")), null);
  assertEquals((Deno.statSync(dir.file("logs")).mode ?? 0) & 0o777, 0o711);
});

Deno.test({
  name: "whyUntrusted() trusts a read-only mount only with trustReadOnlyMount (skipped without mounts)",
  ignore: !(IS_ROOT && canRun("unshare", "--mount", "true")),
  fn: async () => {
    using dir = tempDir();
    const untrusted = "writable by other users (mode 0777)";
    for (
      const [mount, options, expected] of [
        ["ro", { trustReadOnlyMount: true }, null],
        ["ro", {}, untrusted],
        ["rw", { trustReadOnlyMount: true }, untrusted],
      ] as const
    ) {
      const script = `mount -t tmpfs -o mode=0777,${mount} none "$0" && exec "$@"`;
      const under = ["unshare", "--mount", "sh", "-c", script, dir.path];
      await using actor = new Actor(["trust", dir.path, JSON.stringify(options)], under);
      assertEquals(JSON.parse(await actor.result()), { why: expected });
    }
  },
});
