import { assertEquals, assertMatch } from "@std/assert";
import { tempDir } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { hasCommand, IS_ROOT, MONITOR_PERMISSIONS, run, runTool, toolCommand } from "./tools.ts";

const CAT = { args: ["cat"] };

Deno.test("the monitor refuses a config directory that other users may write to, and names the mode and the remedies", async () => {
  using dir = tempDir();
  const places = ["--config", dir.dir("config"), "--messages", dir.dir("messages")];
  Deno.chmodSync(dir.file("config"), 0o777);
  const { code, stderr } = await runTool("monitor/mod.ts", places);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^ncolony-monitor: Cannot use directory ".*config": writable by other users \(mode 0777\); fix it with chmod or chown, or use --allow-insecure or --trust-read-only-mount\n$/,
  );
});

Deno.test({
  name: "the monitor refuses a config directory of another user (skipped unless run by root)",
  ignore: !IS_ROOT,
  fn: async () => {
    using dir = tempDir();
    const places = ["--config", dir.dir("config"), "--messages", dir.dir("messages")];
    Deno.chownSync(dir.file("config"), 65534, 65534);
    const { code, stderr } = await runTool("monitor/mod.ts", places);
    assertEquals(code, 1);
    assertMatch(stderr, /owned by uid 65534, which is neither root nor the monitor's/);
  },
});

Deno.test("the monitor reports a config that other users may write to, until its mode is corrected", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.5"], config: { good: CAT } });
  await colony.started("good");
  const file = colony.dir.write("web", JSON.stringify(CAT));
  Deno.chmodSync(file, 0o666);
  Deno.renameSync(file, `${colony.config}/web`);
  await colony.waitFor(/WARN web: invalid config: writable by other users \(mode 0666\)/);
  Deno.chmodSync(`${colony.config}/web`, 0o644);
  await colony.started("web");
  assertEquals(colony.pidsOf("good").length, 1);
});

Deno.test("--allow-insecure runs a config that other users may write to, with a warning", async () => {
  await using colony = new Colony({ args: ["--allow-insecure"] });
  await colony.waitFor(/WARN --allow-insecure: /);
  const file = colony.dir.write("web", JSON.stringify(CAT));
  Deno.chmodSync(file, 0o666);
  Deno.renameSync(file, `${colony.config}/web`);
  await colony.started("web");
});

Deno.test("the monitor reports a messages directory that other users may write to, and uses it", async () => {
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
  assertMatch(stderr, /INFO other users can write to the messages directory/);
});

const canMount = IS_ROOT && hasCommand("unshare") && (await run(["unshare", "--mount", "true"])).code === 0;

for (const permissions of [["-A"], MONITOR_PERMISSIONS]) {
  Deno.test({
    name:
      `--trust-read-only-mount trusts a read-only volume of mode 0777 (${permissions.length} flags; skipped without mounts)`,
    ignore: !canMount,
    fn: async () => {
      using dir = tempDir();
      const [config, messages] = [dir.dir("config"), dir.dir("messages")];
      dir.write("config/web", '{"args": ["cat"]}');
      Deno.chmodSync(dir.file("config", "web"), 0o666);
      Deno.chmodSync(config, 0o777);
      const monitor = toolCommand("monitor/mod.ts", permissions).map((word) => `'${word}'`).join(" ");
      const script = `mount --bind '${config}' '${config}' && mount -o remount,ro,bind '${config}' &&
        exec timeout 20 ${monitor} --config '${config}' --messages '${messages}'`;
      const started = `(${script} --trust-read-only-mount --log-file '${dir.file("log")}') &
        until grep -q 'INFO web: gone -> running' '${dir.file("log")}' || ! kill -0 $!; do sleep 0.05; done
        kill $! && wait $!`;
      assertEquals((await run(["unshare", "--mount", "sh", "-c", started])).code, 0);
      const refused = await run(["unshare", "--mount", "sh", "-c", script]);
      assertEquals(refused.code, 1);
      assertMatch(refused.stderr, /writable by other users \(mode 0777\); .*--trust-read-only-mount$/m);
    },
  });
}
