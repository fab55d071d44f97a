import { assert, assertEquals, assertLessOrEqual, assertMatch, assertStringIncludes } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { join } from "@std/path";
import { tempDir } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { MONITOR_PERMISSIONS, namesIn, place, type Result, runTool } from "./tools.ts";

/** Returns the one line of an error. The monitor may have logged its start before. */
function complaint({ stdout, stderr }: Result): string {
  assertEquals(stdout, "");
  const lines = stderr.trimEnd().split("\n").filter((line) => !/Z INFO ncolony-monitor \d/.test(line));
  assertEquals(lines.length, 1, stderr);
  return lines[0]!;
}

const TOOLS = ["monitor", "ctl", "beatcheck", "httpcheck", "scheduler", "notify", "reaper", "web"];

/** An option of a tool that does not have `--config`. */
const SOME_OPTION: Record<string, string> = { scheduler: "--arg", notify: "--arg", reaper: "--grace", web: "--status" };

const PLACES = ["--config", "/nowhere", "--messages", "/nowhere"];

const WRONG: readonly (readonly [argv: readonly string[], names: string])[] = [
  [[], "--config"],
  [["--config", "/nowhere"], "--messages"],
  [["--config=", "--messages", "/nowhere"], "--config"],
  [["--messages", "/nowhere", "--config"], "--config"],
  [["--conifg", "/nowhere"], "--conifg"],
  [[...PLACES, "-x"], "-x"],
  [[...PLACES, "stray"], '"stray"'],
  [[...PLACES, "--help=yes"], "--help"],
  [[...PLACES, "-t"], "-t"],
  [[...PLACES, "--threshold", "soon"], "--threshold"],
  [[...PLACES, "-k", "-1"], "--killtime"],
  [[...PLACES, "--minrestartdelay=1e10"], "--minrestartdelay"],
  [[...PLACES, "--maxrestartdelay", "NaN"], "--maxrestartdelay"],
  [[...PLACES, "--frequency", "0"], "--frequency"],
  [[...PLACES, "--freq", ""], "--frequency"],
  [[...PLACES, "--pid="], "--pid"],
  [[...PLACES, "--log-level", "loud"], "--log-level"],
  [[...PLACES, "--log-format", "xml"], "--log-format"],
  [[...PLACES, "--log-file="], "--log-file"],
];

Deno.test("the monitor reports an invalid command line in one line that names the option, and exits with 2", async () => {
  const results = await Promise.all(WRONG.map(([argv]) => runTool("monitor/mod.ts", argv)));
  for (const [index, [argv, names]] of WRONG.entries()) {
    const result = results[index]!;
    const line = complaint(result);
    assertEquals(result.code, 2, line);
    assertStringIncludes(line, names, argv.join(" "));
    assertMatch(line, /^ncolony-monitor: .* \(try ncolony-monitor --help\)$/);
  }
});

for (const tool of TOOLS) {
  const name = `ncolony-${tool}`;
  Deno.test(`${tool} --help prints at most 40 lines, and --version one, whatever the other arguments are`, async () => {
    for (const argv of [["--help"], ["-h"], [SOME_OPTION[tool] ?? "--config", "7", "--help"]]) {
      const { code, stdout, stderr } = await runTool(`${tool}/mod.ts`, argv, []);
      assertEquals([code, stderr], [0, ""]);
      assertMatch(stdout, new RegExp(`^${name}: .*\n\nUsage: ${name} `));
      assertLessOrEqual(stdout.split("\n").length - 1, 40);
    }
    const { code, stdout, stderr } = await runTool(`${tool}/mod.ts`, ["--version"], []);
    assertEquals([code, stdout, stderr], [0, `${name} ${manifest.version}\n`, ""]);
  });
}

Deno.test("the monitor reports an invalid path, or one given twice, in one line, and exits with 1", async () => {
  using dir = tempDir();
  const [config, messages] = [dir.dir("config"), dir.dir("messages")];
  const file = dir.write("file", "");
  const none = dir.file("none");
  const start = (...argv: string[]) => runTool("monitor/mod.ts", argv);
  const results = await Promise.all([
    start("--config", none, "--messages", messages),
    start("--config", config, "--messages", none),
    start("--config", file, "--messages", messages),
    start("--config", config, "--messages", config),
    start("--config", config, "--messages", messages, "--pid", `${file}/pids`),
    start("--config", config, "--messages", messages, "--log-file", `${none}/log`),
  ]);
  assertEquals(results.map(({ code }) => code), [1, 1, 1, 1, 1, 1]);
  const lines = results.map(complaint);
  for (const [index, part] of [none, none, file, "both config and messages", file, `${none}/log`].entries()) {
    assertStringIncludes(lines[index]!, part);
    assert(!/\bat \S+:\d+/.test(lines[index]!), "no stack");
  }
});

Deno.test("a second monitor on the same messages reports that in one line and exits with 1, and the first one goes on", async () => {
  await using colony = new Colony({ config: { web: { args: ["cat"] } } });
  await colony.started("web");
  using other = tempDir();
  const second = await runTool("monitor/mod.ts", ["--config", other.path, "--messages", colony.messages]);
  assertEquals(second.code, 1);
  assertStringIncludes(complaint(second), `"${colony.messages}": another monitor uses this messages directory`);
  assertEquals((await colony.ctl("restart", "web")).code, 0);
  await colony.started("web", 2);
});

Deno.test("the monitor's own files may share a directory neither with configs or messages nor with each other", async () => {
  using dir = tempDir();
  const [config, messages] = [dir.dir("config"), dir.dir("messages")];
  place(config, "web", '{"args": ["cat"]}');
  const places = ["--config", config, "--messages", messages];
  const own = dir.dir("own");
  for (
    const [what, ...options] of [
      ["config and pid files", "--pid", `${config}/.`],
      ["messages and logs", "--logs", `${messages}/.`],
      ["pid files and logs", "--logs", own, "--pid", `${own}/.`],
    ] as const
  ) {
    const result = await runTool("monitor/mod.ts", [...places, ...options]);
    assertEquals([result.code, complaint(result)], [1, `ncolony-monitor: Cannot use one directory for both ${what}`]);
  }
  assertEquals(namesIn(config), ["web"]);
  const nowhere = await runTool("monitor/mod.ts", [...places, "--logs", join(config, "web")]);
  assertEquals([nowhere.code, complaint(nowhere).length > 0], [1, true]);
});

Deno.test("the monitor names a permission that it cannot start without in one line, and exits with 1", async () => {
  using dir = tempDir();
  const places = ["--config", dir.dir("config"), "--messages", dir.dir("messages")];
  const less = (name: string, ...instead: string[]) => {
    const permissions = MONITOR_PERMISSIONS.filter((permission) => !permission.startsWith(name));
    return runTool("monitor/mod.ts", [...places, "--pid", dir.file(`pids ${name}`)], [...permissions, ...instead]);
  };
  const results = await Promise.all([
    less("--allow-read"),
    less("--allow-read", `--allow-read=${places[1]},${dir.file("pids --allow-read")}`),
    less("--allow-write"),
    less("--allow-sys"),
    less("--allow-run"),
    // With a list of commands, Deno lets it signal no process.
    less("--allow-run", "--allow-run=cat"),
  ]);
  const missing = ["--allow-read", "--allow-read", "--allow-write", "--allow-sys", "--allow-run", "--allow-run"];
  for (const [index, name] of missing.entries()) {
    assertEquals(results[index]!.code, 1);
    assertStringIncludes(complaint(results[index]!), name);
  }
  assertStringIncludes(complaint(results[1]!), places[3]!);
});

Deno.test("the umbrella runs its tools, and lists them", async () => {
  const umbrella = (...argv: string[]) => runTool("mod.ts", argv, []);
  for (const tool of TOOLS) {
    const [through, direct] = [await umbrella(tool, "--help"), await runTool(`${tool}/mod.ts`, ["--help"], [])];
    assertEquals(through, direct);
  }
  const help = await umbrella("--help");
  assertEquals([help.code, help.stderr], [0, ""]);
  assertMatch(help.stdout, /^ncolony: .*\n\nUsage: ncolony TOOL/);
  assertEquals((await umbrella("--version")).stdout, `ncolony ${manifest.version}\n`);
  for (
    const [argv, names] of [[["frob"], '"frob"'], [
      [],
      "monitor, ctl, beatcheck, httpcheck, scheduler, notify, reaper or web",
    ]] as const
  ) {
    const result = await umbrella(...argv);
    assertEquals(result.code, 2);
    assertMatch(complaint(result), /^ncolony: .* \(try ncolony --help\)$/);
    assertStringIncludes(complaint(result), names);
  }
});

Deno.test("the umbrella's tools do what they do by themselves", async () => {
  using dir = tempDir();
  const places = ["--config", dir.dir("config"), "--messages", dir.dir("messages")];
  const permissions = [`--allow-read=${dir.path}`, `--allow-write=${dir.path}`];
  assertEquals((await runTool("mod.ts", ["ctl", ...places, "add", "web", "--cmd", "cat"], permissions)).code, 0);
  assertEquals(namesIn(dir.file("config")), ["web"]);
  assertEquals((await runTool("mod.ts", ["ctl", ...places, "remove", "db"], permissions)).code, 4);
  assertEquals((await runTool("mod.ts", ["monitor", "--config", dir.file("none"), ...places.slice(2)])).code, 1);
});
