import { assertEquals, assertMatch } from "@std/assert";
import { tempDir } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { type Result, ROOT, sh } from "./tools.ts";

/** Sets a variable that is not UTF-8. No message may show its value. */
const SECRET = sh(`export "$1=$(printf 'hunter2\\377')"; shift; exec "$@"`);

const HINT = " (try ncolony-ctl --help)\n";

/** Runs a tool with all permissions or the given flags, and no input. */
async function run(
  tool: string,
  argv: readonly string[],
  how: { wrap?: readonly string[]; flags?: readonly string[] } = {},
): Promise<Result> {
  const { wrap = [], flags = ["--allow-all"] } = how;
  const [command, ...args] = [
    ...wrap,
    Deno.execPath(),
    "run",
    "--frozen",
    "--no-prompt",
    ...flags,
    `${tool}/mod.ts`,
    ...argv,
  ];
  const { code, stdout, stderr } = await new Deno.Command(command!, { args, cwd: ROOT, stdin: "null" }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

Deno.test("a message names a variable that is not UTF-8, and does not show its value", async () => {
  using dir = tempDir();
  const places = ["--config", dir.dir("conf"), "--messages", dir.dir("messages")];
  const once = ["--once", "--timeout", "5", "--grace", "1", "--arg", "true"];
  for (const variable of ["NCOLONY_CONFIG", "NCOLONY_NAME"]) {
    const others = ["env", "NCOLONY_CONFIG={}", "NCOLONY_NAME=web"];
    const { code, stdout, stderr } = await run("scheduler", once, { wrap: [...others, ...SECRET, "sh", variable] });
    assertEquals([code, stdout], [0, ""]);
    assertMatch(stderr, new RegExp(`ERROR no heartbeat: environment variable "${variable}" is not valid UTF-8\\n`));
    assertEquals(stderr.includes("hunter"), false);
  }
  await using colony = new Colony({
    wrap: [...SECRET, "sh", "SECRET"],
    config: { web: { args: ["true"], env_inherit: ["SECRET"] } },
  });
  await colony.waitFor(/ web: running -> stopping \(cannot start: environment variable "SECRET" is not valid UTF-8\)$/);
  assertEquals(colony.matching(/hunter/), []);
  assertEquals((await run("ctl", [...places, "--force", "restart", "web"])).code, 0);
});

Deno.test("an error about a file names the file, then the reason", async () => {
  using dir = tempDir();
  const [conf, messages, file] = [dir.dir("conf"), dir.dir("messages"), dir.write("file", "hunter2")];
  const places = ["--config", conf, "--messages", messages];
  const extras = async (path: string, exitCode = 1) => {
    const { code, stderr } = await run("ctl", [...places, "add", "web", "--cmd", "true", "--extras", path]);
    assertEquals(code, exitCode);
    return stderr;
  };
  assertEquals(
    await extras(dir.file("none")),
    `ncolony-ctl: --extras "${dir.file("none")}": no such file or directory\n`,
  );
  assertEquals(await extras(conf), `ncolony-ctl: --extras "${conf}": is a directory\n`);
  Deno.writeFileSync(dir.file("bytes"), new Uint8Array([0x7b, 0xff, 0x7d]));
  assertEquals(
    await extras(dir.file("bytes"), 2),
    `ncolony-ctl: --extras "${dir.file("bytes")}": not valid UTF-8${HINT}`,
  );
  assertEquals(await extras("/dev/zero", 2), `ncolony-ctl: --extras "/dev/zero": must be at most 131056 bytes${HINT}`);
  const add = (directory: string, name: string) => {
    return run("ctl", ["--config", directory, "--messages", messages, "add", name, "--cmd", "true"]);
  };
  assertEquals((await add(file, "web")).stderr, `ncolony-ctl: "${file}/web": not a directory\n`);
  assertMatch((await add(conf, "x".repeat(300))).stderr, /^ncolony-ctl: ".*x": file name too long\n$/);
  for (const option of ["--pid", "--logs"]) {
    const { code, stderr } = await run("monitor", [...places, option, `${file}/below`]);
    assertEquals([code, stderr], [1, `ncolony-monitor: "${file}/below": not a directory\n`]);
  }
});

Deno.test("an error about a permission names its purpose and the flag", async () => {
  using dir = tempDir();
  const places = ["--config", dir.dir("conf"), "--messages", dir.dir("messages")];
  const ctl = await run("ctl", [...places, "add", "web", "--cmd", "true"], { flags: [] });
  assertEquals(ctl.stderr, `ncolony-ctl: needs --allow-read for "${dir.file("conf/web")}"\n`);
  const monitor = await run("monitor", places, { flags: ["--allow-read", "--allow-run", "--allow-env"] });
  assertEquals(monitor.stderr, 'ncolony-monitor: needs --allow-sys for "gid"\n');
  await using colony = new Colony({
    permissions: [
      "--allow-read",
      "--allow-write",
      "--allow-run",
      "--allow-sys=uid,gid",
      "--allow-env=NCOLONY_NAME,NCOLONY_CONFIG",
    ],
    config: { web: { args: ["true"], env_inherit: ["SECRET"] } },
  });
  await colony.waitFor(/ web: running -> stopping \(cannot start: needs --allow-env for "SECRET"\)$/);
});

Deno.test("a failed start is reported in NColony's own words, with the name of the command", async () => {
  using dir = tempDir();
  await using colony = new Colony({
    config: {
      none: { args: [dir.file("none")] },
      plain: { args: [dir.write("plain", "")] },
      long: { args: ["true", "x".repeat(120_000)], env: { A: "y".repeat(1000) } },
    },
  });
  await colony.waitFor(/ none: .*\(cannot start: command "\S+none" or its interpreter: no such file or directory\)$/);
  await colony.waitFor(/ plain: .*\(cannot start: command "\S+plain": permission denied to execute it, or /);
  assertEquals(colony.matching(/Failed to spawn|os error/), []);
});
