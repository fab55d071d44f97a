/** Every program finds the directories of a colony by `--colony` or `NCOLONY_COLONY`. */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { LEAST_PERMISSIONS, PERMISSIONS } from "../../tools/permissions.ts";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { Program } from "./program.ts";
import { namesIn, type Result, run, toolCommand } from "./tools.ts";

const CAT = '{"args": ["cat"]}';

/** Runs a monitor on `colony` in a directory. */
function monitor(dir: TempDir, options: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Program {
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const tool = toolCommand("monitor/mod.ts", LEAST_PERMISSIONS.monitor);
  const colony = Object.hasOwn(env, "NCOLONY_COLONY") ? [] : ["--colony", dir.file("colony")];
  return new Program(["env", ...words, ...tool, ...colony, ...options]);
}

async function ctl(env: string, ...args: string[]): Promise<Result> {
  return await run(["env", env, ...toolCommand("ctl/mod.ts", PERMISSIONS.ctl), ...args]);
}

Deno.test("the monitor creates and uses all directories of --colony, and ctl finds them", async () => {
  using dir = tempDir();
  const colony = dir.file("colony");
  await using program = monitor(dir);
  await program.waitFor(/ INFO ncolony-monitor /);
  assertEquals(namesIn(colony).sort(), ["conf", "logs", "messages", "pids", "status"]);
  const modes = namesIn(colony).map((name) => (Deno.statSync(join(colony, name)).mode ?? 0) & 0o777);
  assertEquals(modes, modes.map(() => 0o750));
  const added = await ctl(
    "A=1",
    "--colony",
    colony,
    "add",
    "web",
    "--cmd",
    "sh",
    "--arg",
    "-c",
    "--arg",
    "echo hi; exec cat",
  );
  assertEquals(added, { code: 0, stdout: "", stderr: "" });
  const has = (...path: string[]) => until(`${path}`, () => namesIn(join(colony, path[0]!)).includes(path[1]!));
  await Promise.all([has("pids", "web"), has("status", "web"), has("logs", "web.log")]);
  await until("it wrote", () => Deno.readTextFileSync(join(colony, "logs", "web.log")) === "hi\n");
  const pid = Deno.readTextFileSync(join(colony, "pids", "web"));
  assertEquals((await ctl(`NCOLONY_COLONY=${colony}`, "restart", "web")).code, 0);
  await until("it was restarted", () => {
    const names = namesIn(join(colony, "pids"));
    return names.includes("web") && Deno.readTextFileSync(join(colony, "pids", "web")) !== pid;
  });
});

Deno.test("a directory that is given wins over that of the colony, and --no-logs writes no log files", async () => {
  using dir = tempDir();
  Deno.writeTextFileSync(join(dir.dir("mine"), "web"), CAT);
  const own = ["--config", dir.file("mine"), "--pid", dir.file("own-pids"), "--no-logs"];
  await using program = monitor(dir, own, { NCOLONY_COLONY: dir.file("colony") });
  await until("it runs", () => namesIn(dir.path).includes("own-pids") && namesIn(dir.file("own-pids")).includes("web"));
  assertEquals(namesIn(dir.file("colony")).sort(), ["messages", "status"]);
  await program.waitFor(RegExp(`on ${dir.file("mine")}, messages in ${dir.file("colony")}/messages,`));
});

Deno.test("beatcheck and httpcheck find the colony", async () => {
  using dir = tempDir();
  for (const name of ["conf", "messages", "pids"]) dir.dir(name);
  for (const tool of ["beatcheck", "httpcheck"] as const) {
    for (const how of [["env", "A=1"], ["env", `NCOLONY_COLONY=${dir.path}`]]) {
      const colony = how[1] === "A=1" ? ["--colony", dir.path] : [];
      await using program = new Program([...how, ...toolCommand(`${tool}/mod.ts`, PERMISSIONS[tool]), ...colony]);
      await program.waitFor(RegExp(` INFO ncolony-${tool} .*${dir.path}/conf`));
    }
  }
});

Deno.test("NCOLONY_COLONY is not read without the permission, and a command line without a colony is invalid", async () => {
  using dir = tempDir();
  const env = `NCOLONY_COLONY=${dir.path}`;
  for (const tool of ["monitor", "ctl", "beatcheck", "httpcheck"] as const) {
    const permissions = LEAST_PERMISSIONS[tool].filter((flag) => !flag.startsWith("--allow-env"));
    const words = [...toolCommand(`${tool}/mod.ts`, permissions), ...tool === "ctl" ? ["restart", "web"] : []];
    const { code, stderr } = await run(["env", env, ...words]);
    assertEquals(code, 2);
    assertMatch(
      stderr,
      RegExp(`^ncolony-${tool}: --config is missing, or --colony \\(try ncolony-${tool} --help\\)\n$`),
    );
  }
});
