import { assertEquals, assertMatch } from "@std/assert";
import { main } from "@ncolony/ctl";
import { join } from "@std/path";
import { ctlPermissions, namesIn, runTool } from "../cli/tools.ts";
import recordings from "../golden/ctl.json" with { type: "json" };
import { type TempDir, tempDir } from "../helpers.ts";

/** Directories for one recording. */
function places(dir: TempDir): { config: string; messages: string } {
  return { config: dir.dir("config"), messages: dir.dir("messages") };
}

/**
 * Returns the recorded command line for these directories. `@…` is a file of extras in the config directory. Python
 * NColony's ctl does not look if there is such a process.
 */
function commandLine(
  { argv, extrasFile }: { argv: readonly string[]; extrasFile?: unknown },
  { config, messages }: { config: string; messages: string },
): string[] {
  const extras = join(config, ".extras");
  if (extrasFile !== undefined) Deno.writeTextFileSync(extras, JSON.stringify(extrasFile));
  const words = argv.map((word) => extrasFile !== undefined && word.startsWith("@") ? extras : word);
  const force = words[0] === "restart" ? ["--force"] : [];
  return ["--messages", messages, "--config", config, ...force, ...words];
}

function parsedFiles(directory: string): [name: string, content: unknown][] {
  const names = namesIn(directory).filter((name) => name !== ".extras");
  return names.map((name) => [name, JSON.parse(Deno.readTextFileSync(join(directory, name)))]);
}

/** Returns the files that ctl left, in the form of the recordings. Messages also say who sent them. */
function left({ config, messages }: { config: string; messages: string }): unknown {
  const sent = parsedFiles(messages).map(([, message]) => {
    const { from, ...others } = message as Record<string, unknown>;
    assertEquals(from, "ctl");
    return others;
  });
  return { config: Object.fromEntries(parsedFiles(config)), messages: sent };
}

for (const recording of recordings) {
  const { argv, config, messages } = recording;
  // If the config is missing, Python NColony prints a stack trace, but this ctl an error, which would appear here.
  if (argv[0] === "remove") continue;
  Deno.test(`ctl leaves the same files as Python NColony's: ${argv.join(" ")}`, async () => {
    using dir = tempDir();
    const at = places(dir);
    assertEquals(await main(commandLine(recording, at)), 0);
    assertEquals(left(at), { config, messages });
  });
}

for (const [first, last] of [["add", "@env"], ["restart", "web"], ["remove", "gone"]] as const) {
  const recording = recordings.find(({ argv }) => argv[0] === first && argv.at(-1) === last)!;
  Deno.test(`ctl as a program leaves the same files as Python NColony's: ${recording.argv.join(" ")}`, async () => {
    using dir = tempDir();
    const at = places(dir);
    const { code, stdout, stderr } = await runTool("ctl/mod.ts", commandLine(recording, at), ctlPermissions(at));
    assertEquals([code, stdout], [first === "remove" ? 4 : 0, ""]);
    assertMatch(stderr, first === "remove" ? /^ncolony-ctl: .*gone.*\n$/ : /^$/);
    assertEquals(left(at), { config: recording.config, messages: recording.messages });
  });
}

Deno.test("ctl names messages in the order in which one program after another sends them", async () => {
  using dir = tempDir();
  const at = places(dir);
  const words = ["--messages", at.messages, "--config", at.config];
  for (const name of ["c", "a", "b"]) {
    assertEquals((await runTool("ctl/mod.ts", [...words, "--force", "restart", name], ctlPermissions(at))).code, 0);
  }
  assertEquals(parsedFiles(at.messages).map(([, message]) => (message as { name: string }).name), ["c", "a", "b"]);
});
