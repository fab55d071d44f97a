import { assert, assertEquals, assertGreater, assertMatch, assertStringIncludes } from "@std/assert";
import { until } from "../helpers.ts";
import { Checker, Ground, silent, type Tool } from "./checkers.ts";
import { namesIn, runTool } from "./tools.ts";

const TOOLS: readonly Tool[] = ["beatcheck", "httpcheck"];

const PLACES = ["--config", "/nowhere", "--messages", "/nowhere"];

const WRONG: readonly (readonly [argv: readonly string[], names: string])[] = [
  [[], "--config"],
  [["--config", "/nowhere"], "--messages"],
  [["--config=", "--messages", "/nowhere"], "--config"],
  [["--config", "/nowhere", "--messages"], "--messages"],
  [["--conifg", "/nowhere"], "--conifg"],
  [[...PLACES, "-x"], "-x"],
  [[...PLACES, "stray"], '"stray"'],
  [[...PLACES, "--help=yes"], "--help"],
  [[...PLACES, "--pid="], "--pid"],
  [[...PLACES, "--freq"], "--freq"],
  [[...PLACES, "--freq", "0"], "--freq"],
  [[...PLACES, "--frequency", "-1"], "--freq"],
  [[...PLACES, "--frequency=soon"], "--freq"],
  [[...PLACES, "--freq=1e10"], "--freq"],
  [[...PLACES, "--log-level", "loud"], "--log-level"],
  [[...PLACES, "--log-file="], "--log-file"],
];

for (const tool of TOOLS) {
  Deno.test(`${tool} reports an invalid command line in one line that names the option, and exits with 2`, async () => {
    const results = await Promise.all(WRONG.map(([argv]) => runTool(`${tool}/mod.ts`, argv, [])));
    for (const [index, [argv, names]] of WRONG.entries()) {
      const { code, stdout, stderr } = results[index]!;
      assertEquals([code, stdout], [2, ""], stderr);
      assertMatch(stderr, new RegExp(`^ncolony-${tool}: [^\n]* \\(try ncolony-${tool} --help\\)\n$`));
      assertStringIncludes(stderr, names, argv.join(" "));
    }
  });

  Deno.test(`${tool} reports a missing or invalid directory, or one given twice, in one line, and exits with 1`, async () => {
    using ground = new Ground();
    const { config, messages } = ground;
    const [none, file] = [ground.dir.file("none"), ground.dir.write("file", "")];
    const pairs = [[none, messages], [config, none], [file, messages], [config, file], [config, config]];
    const permissions = ["--allow-read", "--allow-write", "--allow-env"];
    const results = await Promise.all(pairs.map(([config, messages]) => {
      return runTool(`${tool}/mod.ts`, ["--config", config!, "--messages", messages!], permissions);
    }));
    for (const [index, names] of [none, none, file, file, "both config and messages"].entries()) {
      const { code, stdout, stderr } = results[index]!;
      assertEquals([code, stdout], [1, ""], stderr);
      assertMatch(stderr, new RegExp(`^ncolony-${tool}: [^\n]*\n$`));
      assertStringIncludes(stderr, names);
      assert(!/\bat \S+:\d+/.test(stderr), "no stack");
    }
  });

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    Deno.test(`${signal} ends ${tool} with 0, long before its next scan`, async () => {
      using ground = new Ground();
      await using checker = new Checker(tool, ground, { args: ["--freq", "1e9"] });
      await checker.ready();
      assertEquals([await checker.stop(signal), checker.count(/./)], [0, 1]);
    });
  }

  Deno.test(`${tool} accepts --freq and --frequency, and logs JSON or to a file`, async () => {
    using ground = new Ground();
    const log = ground.dir.write("log", "");
    await using short = new Checker(tool, ground, { args: ["--freq", "0.05", "--log-format", "json"] });
    await using long = new Checker(tool, ground, { args: ["--frequency=0.05", "--log-file", log] });
    const first = JSON.parse((await short.waitFor(/ on /)).input);
    assertEquals([first.level, first.process, first.stream], ["INFO", null, null]);
    assertStringIncludes(first.message, ground.config);
    const broken = /broken: invalid config/;
    await until("both started", () => Deno.lstatSync(log).size > 0);
    ground.put("broken", "{");
    assertEquals(JSON.parse((await short.waitFor(broken)).input).process, "broken");
    await until("the file tells of it", () => broken.test(Deno.readTextFileSync(log)));
    assertEquals(long.lines, []);
  });

  Deno.test(`${tool} beats the heart that its own config names`, async () => {
    using ground = new Ground();
    const hearts = ground.dir.dir("hearts");
    const source = JSON.stringify(silent({ period: 0.1, grace: 3, status: hearts }));
    const env = { NCOLONY_CONFIG: source, NCOLONY_NAME: "health" };
    await using checker = new Checker(tool, ground, { env, args: ["--freq", "1e9"] });
    // It logs that it is ready before the first beat.
    await checker.ready();
    await until("it beats", () => namesIn(hearts).length > 0);
    const beatAt = () => Deno.statSync(`${hearts}/health`).mtime!.getTime();
    const first = beatAt();
    const next = await until("it beats again", () => beatAt() > first && beatAt());
    assertGreater(await until("it beats on", () => beatAt() > next && beatAt()), first);
    assertEquals(checker.count(/./), 1);
  });

  Deno.test(`${tool} logs once that its own heart cannot beat, and otherwise works as usual`, async () => {
    using ground = new Ground();
    const source = JSON.stringify(silent({ period: 0.05, grace: 3, status: ground.dir.file("none", "heart") }));
    await using checker = new Checker(tool, ground, { env: { NCOLONY_CONFIG: source, NCOLONY_NAME: "health" } });
    await checker.ready();
    for (const version of [1, 2, 3]) {
      ground.put("broken", `{${" ".repeat(version)}`);
      await checker.waitFor(/broken: invalid config/, version);
    }
    assertEquals(checker.count(/ERROR cannot touch heartbeat file ".*": /), 1);
    assertEquals(checker.count(/ERROR/), 1);
    checker.process.kill("SIGTERM");
    assertEquals(await checker.ended(), 0);
  });
}
