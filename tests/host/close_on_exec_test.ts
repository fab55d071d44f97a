import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { ROOT, run, sh } from "../cli/tools.ts";
import { tempDir } from "../helpers.ts";

/** Runs a script with an inherited descriptor and all permissions. `closeOnExec` is imported. Returns what it prints. */
async function printed(script: string): Promise<unknown> {
  using dir = tempDir();
  const code = `import { closeOnExec } from "${join(ROOT, "host/program/close_on_exec.ts")}";\n${script}`;
  const words = [Deno.execPath(), "run", "--no-prompt", "--config", join(ROOT, "deno.json"), "--allow-all"];
  const leaving = [...sh('exec 9</dev/null; exec "$@"'), "sh"];
  const { stdout, stderr } = await run([...leaving, ...words, dir.write("program.ts", code)]);
  return JSON.parse(stdout || `"${stderr}"`);
}

Deno.test("closeOnExec() opens the C library only if this program inherited a descriptor", async () => {
  const script = `
    const { dlopen } = Deno;
    let count = 0;
    Deno.dlopen = (...words) => ++count && dlopen(...words);
    console.log(JSON.stringify([closeOnExec(), count, closeOnExec(), count]));`;
  // The second one finds none.
  assertEquals(await printed(script), [null, 1, null, 1]);
});

Deno.test("closeOnExec() reports which descriptors children inherit if there is no known C library", async () => {
  const script = `
    Deno.dlopen = () => { throw new Error("no such library"); };
    console.log(JSON.stringify(closeOnExec()));`;
  assertMatch(
    await printed(script) as string,
    // The tests may have inherited others.
    /^processes inherit file descriptors of the program that started this one \((\d+, )*9(, \d+)*\): cannot load the C library \(tried libc\.so\.6, .*\)$/,
  );
});
