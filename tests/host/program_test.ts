import { assertEquals } from "@std/assert";
import { runProgram } from "@ncolony/host";
import { Actor } from "./actors.ts";

const PROGRAM = { name: "tool", version: "1.2.3", help: "Usage: tool" };

/** Returns the exit code and the output of a program that fails in some way. */
async function outcome(
  how: string,
  redirection = "",
): Promise<[code: number | undefined, stdout: string, stderr: string]> {
  await using actor = new Actor(["fail", how], ["sh", "-c", `exec "$@" ${redirection}`, "sh"]);
  return [await actor.code(), actor.stdout, actor.stderr];
}

Deno.test("runProgram() returns the exit code that the program returns", async () => {
  for (const code of [0, 3]) {
    assertEquals(await runProgram(PROGRAM, () => code), code);
    assertEquals(await runProgram(PROGRAM, () => Promise.resolve(code)), code);
  }
});

Deno.test("runProgram() answers an invalid command line with one line that helps, and 2", async () => {
  assertEquals(await outcome("usage"), [2, "", "tool: unknown option --arg (try tool --help)\n"]);
});

Deno.test("runProgram() answers any other failure with one line, and 1", async () => {
  assertEquals(await outcome("lines"), [1, "", "tool: first second \n"]);
  assertEquals(await outcome("other"), [1, "", "tool: a string\n"]);
});

Deno.test("runProgram() goes on if stderr cannot be written to", async () => {
  assertEquals(await outcome("usage", "2> /dev/full"), [2, "", ""]);
});

Deno.test("answerCommon() answers --help, --version, and nothing else", async () => {
  assertEquals(await outcome("help"), [0, "Usage: tool\n", ""]);
  assertEquals(await outcome("version"), [0, "tool 1.2.3\n", ""]);
  assertEquals(await outcome("version+help"), [0, "Usage: tool\n", ""]);
  assertEquals(await outcome("quiet"), [7, "", ""]);
});

Deno.test("answerCommon() goes on if stdout cannot be written to", async () => {
  assertEquals(await outcome("help", "> /dev/full"), [0, "", ""]);
});
