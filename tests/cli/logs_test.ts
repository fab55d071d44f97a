import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { tempDir, until } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { IS_ROOT, namesIn, run, runTool, sh } from "./tools.ts";

/** Returns the text of a file. Empty if the file does not exist, as during a rotation. */
function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

Deno.test("--logs gives each process a log file, except one with log false, which writes to the monitor's output", async () => {
  using dir = tempDir();
  const logs = dir.dir("logs");
  await using colony = new Colony({
    args: ["--logs", logs],
    config: {
      web: { args: sh("echo out; echo err >&2; printf half; exec sleep 1000") },
      db: { args: sh("echo db; exec sleep 1000"), "ncolony.monitor": { log: false } },
      none: { args: ["no-such-command"] },
    },
  });
  const web = join(logs, "web.log");
  await colony.waitFor(/^\[db\] db$/);
  await until("web has written", () => textOf(web).endsWith("half"));
  assertEquals(textOf(web).split("\n").sort(), ["err", "half", "out"]);
  await colony.waitFor(/WARN none: .*cannot start/);
  assertEquals(await colony.stop(), 0);
  assertEquals(textOf(web).split("\n").sort(), ["", "err", "half", "out"]);
  assertEquals(namesIn(logs), ["none.log", "web.log"]);
  assertEquals(colony.matching(/\[web\]/), []);
});

Deno.test("--logs loses and tears no line over many rotations, and a config's limits override the monitor's", async () => {
  const count = 20_000;
  const script =
    `i=0; while [ $i -lt ${count} ]; do echo "line $i of $NCOLONY_NAME"; i=$((i + 1)); done; exec sleep 1000`;
  using dir = tempDir();
  const logs = dir.dir("logs");
  await using _colony = new Colony({
    args: ["--logs", logs, "--log-size", "64K", "--log-keep", "1000"],
    config: {
      web: { args: sh(script) },
      db: { args: sh(script), "ncolony.monitor": { log: { size: 8192, keep: 3 } } },
    },
  });
  const last = `line ${count - 1} of`;
  for (const name of ["web", "db"]) {
    await until(`${name} is done`, () => textOf(join(logs, `${name}.log`)).includes(last));
  }
  const number = (name: string) => Number(name.split(".")[2] ?? 0);
  const filesOf = (name: string) =>
    namesIn(logs).filter((file) => file.startsWith(name)).sort((a, b) => number(b) - number(a));
  const web = filesOf("web").map((file) => Deno.readTextFileSync(join(logs, file)));
  assertEquals(web.join(""), Array.from({ length: count }, (_, i) => `line ${i} of web\n`).join(""));
  assert(web.length > 5 && web.every((text) => text.endsWith("\n") && text.length <= 65_536));
  assertEquals(filesOf("db"), ["db.log.3", "db.log.2", "db.log.1", "db.log"]);
  assert(filesOf("db").every((file) => Deno.statSync(join(logs, file)).size <= 8192));
});

Deno.test({
  name: "a full disk is logged once, and the process waits without losing a line (skipped unless root)",
  ignore: !IS_ROOT || (await run(["unshare", "--mount", "true"])).code !== 0,
  fn: async () => {
    using dir = tempDir();
    const logs = dir.dir("logs");
    await using colony = new Colony({
      args: ["--logs", logs],
      wrap: [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        `mount -t tmpfs -o size=128k,mode=0755 none '${logs}' && exec "$@"`,
        "sh",
      ],
      config: {
        web: { args: sh("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i + 1)); done; exec sleep 1000") },
      },
    });
    await colony.waitFor(
      /ERROR web: cannot write to ".*web\.log": no space left on device.*; the output of the process waits$/,
    );
    const within = (script: string) => run(["nsenter", "-t", `${colony.process.pid}`, "-m", "sh", "-c", script]);
    assertEquals((await within(`mount -o remount,size=4m none '${logs}'`)).code, 0);
    await colony.waitFor(/INFO web: ".*web\.log" can be written again$/);
    await until("all of it is there", () => {
      const { stdout } = new Deno.Command("nsenter", {
        args: ["-t", `${colony.process.pid}`, "-m", "tail", "-n", "1", `${logs}/web.log`],
      }).outputSync();
      return new TextDecoder().decode(stdout) === "line 19999\n";
    });
    const { stdout } = await within(`cat '${logs}/web.log'`);
    assertEquals(stdout, Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join(""));
    assertEquals(colony.count(/cannot write/), 1);
  },
});

Deno.test("the monitor rejects invalid log options in one line that names the option", async () => {
  const places = ["--config", "/", "--messages", "/"];
  for (const [option, value] of [["--log-size", "1"], ["--log-size", "10X"], ["--log-keep", "1001"], ["--logs", ""]]) {
    const argv = [...places, option!, value!, ...(option === "--logs" ? [] : ["--logs", "logs"])];
    const { code, stderr } = await runTool("monitor/mod.ts", argv);
    assertEquals([option, code], [option, 2]);
    assertMatch(stderr, new RegExp(`^ncolony-monitor: ${option} .*\\n$`));
  }
  const { code, stderr } = await runTool("monitor/mod.ts", [...places, "--log-keep", "3"]);
  assertEquals([code, /^ncolony-monitor: --log-keep needs --logs /.test(stderr)], [2, true]);
});
