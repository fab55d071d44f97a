import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { run } from "../cli/tools.ts";
import { tempDir } from "../helpers.ts";

/** Runs a program with a heart, which must exit by itself. */
async function runProgram(status: string, permissions: readonly string[]): Promise<[code: number, stderr: string]> {
  const program = fromFileUrl(import.meta.resolve("./heart_program.ts"));
  const config = JSON.stringify({ "ncolony.beatcheck": { period: 0.05, grace: 1, status } });
  const variables = ["env", `NCOLONY_CONFIG=${config}`, "NCOLONY_NAME=web"];
  const flags = ["--quiet", "--frozen", "--no-prompt", ...permissions];
  const { code, stderr } = await run([...variables, Deno.execPath(), "run", ...flags, program]);
  return [code, stderr];
}

const ENV = "--allow-env=NCOLONY_CONFIG,NCOLONY_NAME";

Deno.test("startHeart() keeps no program running, and needs permissions only for its file and its two variables", async () => {
  using dir = tempDir();
  const files = [`--allow-read=${dir.path}`, `--allow-write=${dir.path}`];
  assertEquals(await runProgram(dir.path, [ENV, ...files]), [0, ""]);
  assert(Deno.statSync(dir.file("web")).isFile);
});

Deno.test("startHeart() reports a missing permission, and lets the program run", async () => {
  using dir = tempDir();
  const [read, write] = [`--allow-read=${dir.path}`, `--allow-write=${dir.path}`];
  const noEnv = "heart: no heartbeat: needs --allow-env=NCOLONY_CONFIG,NCOLONY_NAME\n";
  const path = JSON.stringify(dir.path);
  assertEquals(
    await Promise.all([
      runProgram(dir.path, [read, write]),
      runProgram(dir.path, ["--allow-env=NCOLONY_CONFIG", read, write]),
      runProgram(dir.path, [ENV, write]),
      runProgram(dir.path, [ENV, read]),
    ]),
    [
      [0, noEnv],
      [0, noEnv],
      [0, `heart: cannot touch heartbeat file ${path}: needs --allow-read\n`],
      [0, `heart: cannot touch heartbeat file ${path}: needs --allow-write\n`],
    ],
  );
});
