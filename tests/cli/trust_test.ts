import { assertEquals, assertMatch } from "@std/assert";
import { tempDir } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { hasCommand, IS_ROOT, MONITOR_PERMISSIONS, run, runTool, toolCommand } from "./tools.ts";

const CAT = { args: ["cat"] };

Deno.test("a config directory that others may write is refused, by its mode and with the way out", async () => {
  using dir = tempDir();
  const places = ["--config", dir.dir("config"), "--messages", dir.dir("messages")];
  Deno.chmodSync(dir.file("config"), 0o777);
  const { code, stderr } = await runTool("monitor/mod.ts", places);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^ncolony-monitor: Cannot use directory ".*config": it may be written by others \(mode 0777\): chmod, chown, --allow-insecure, or --trust-read-only-mount\n$/,
  );
});

Deno.test({
  name: "a config directory of another user is refused (skipped unless run by root)",
  ignore: !IS_ROOT,
  fn: async () => {
    using dir = tempDir();
    const places = ["--config", dir.dir("config"), "--messages", dir.dir("messages")];
    Deno.chownSync(dir.file("config"), 65534, 65534);
    const { code, stderr } = await runTool("monitor/mod.ts", places);
    assertEquals(code, 1);
    assertMatch(stderr, /belongs to uid 65534, which is neither root nor the monitor's/);
  },
});

Deno.test("a config that others may write is a problem, until that is mended", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.5"], config: { good: CAT } });
  await colony.started("good");
  const file = colony.dir.write("web", JSON.stringify(CAT));
  Deno.chmodSync(file, 0o666);
  Deno.renameSync(file, `${colony.config}/web`);
  await colony.waitFor(/WARN web: bad config: may be written by others \(mode 0666\)/);
  Deno.chmodSync(`${colony.config}/web`, 0o644);
  await colony.started("web");
  assertEquals(colony.pidsOf("good").length, 1);
});

Deno.test("--allow-insecure runs what others may write, with a warning", async () => {
  await using colony = new Colony({ args: ["--allow-insecure"] });
  await colony.waitFor(/WARN --allow-insecure: /);
  const file = colony.dir.write("web", JSON.stringify(CAT));
  Deno.chmodSync(file, 0o666);
  Deno.renameSync(file, `${colony.config}/web`);
  await colony.started("web");
});

Deno.test("a messages directory that others may write is told of, and taken", async () => {
  using dir = tempDir();
  const [config, messages] = [dir.dir("config"), dir.dir("messages")];
  Deno.chmodSync(messages, 0o1777);
  const { code, stderr } = await run([
    "timeout",
    "-s",
    "TERM",
    "2",
    ...toolCommand("monitor/mod.ts", MONITOR_PERMISSIONS),
    ...["--config", config, "--messages", messages],
  ]);
  assertEquals(code, 124);
  assertMatch(stderr, /INFO others may write the messages directory/);
});

const canMount = IS_ROOT && hasCommand("unshare") && (await run(["unshare", "--mount", "true"])).code === 0;

for (const permissions of [["-A"], MONITOR_PERMISSIONS]) {
  Deno.test({
    name:
      `a read-only volume of mode 0777 is trusted where that is asked for (${permissions.length} flags; skipped where nothing can be mounted)`,
    ignore: !canMount,
    fn: async () => {
      using dir = tempDir();
      const [config, messages] = [dir.dir("config"), dir.dir("messages")];
      dir.write("config/web", '{"args": ["cat"]}');
      Deno.chmodSync(dir.file("config", "web"), 0o666);
      Deno.chmodSync(config, 0o777);
      const monitor = toolCommand("monitor/mod.ts", permissions).map((word) => `'${word}'`).join(" ");
      const script = `mount --bind '${config}' '${config}' && mount -o remount,ro,bind '${config}' &&
        exec timeout -s TERM 2 ${monitor} --config '${config}' --messages '${messages}'`;
      const { stderr } = await run(["unshare", "--mount", "sh", "-c", `${script} --trust-read-only-mount`]);
      assertMatch(stderr, /INFO web: gone -> running/);
      const refused = await run(["unshare", "--mount", "sh", "-c", script]);
      assertEquals(refused.code, 1);
      assertMatch(refused.stderr, /may be written by others \(mode 0777\): .*--trust-read-only-mount$/m);
    },
  });
}
