import { assert, assertEquals, assertMatch } from "@std/assert";
import { tempDir } from "../helpers.ts";
import { silent } from "./checkers.ts";
import { Colony } from "./harness.ts";
import { Program } from "./program.ts";
import { Terminal, testOnTerminal } from "./terminal.ts";
import { MONITOR_PERMISSIONS, place, runTool, sh, toolCommand } from "./tools.ts";

/** A name that would be read as another one, and how it is shown. */
const NAME = "we\u202eb\u200b\u2066\u00ad\ufe0f\u{e0001}";
const SHOWN = "we\\u202eb\\u200b\\u2066\\u00ad\\ufe0f\\u{e0001}";

/** Characters that no log line may contain. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

Deno.test("the text log shows direction marks and zero-width characters in names as escapes", async () => {
  await using colony = new Colony({
    config: { [NAME]: { args: sh("echo out; echo err >&2; exec cat") }, [`${NAME}2`]: "{" },
  });
  await colony.until(
    "its lines",
    () => colony.lines.includes(`[${SHOWN}] out`) && colony.lines.includes(`[${SHOWN}] err`),
  );
  const told = colony.lines.map((line) => line.replace(/^\S+ /, ""));
  assert(told.some((line) => line.startsWith(`INFO ${SHOWN}: gone -> running (wanted), pid `)));
  assert(told.includes(`WARN ${SHOWN}2: invalid config: invalid JSON at line 1, column 2: a } is missing at the end`));
  place(colony.messages, NAME, JSON.stringify({ type: "RESTART-GROUP", group: NAME }));
  await colony.until("the message is told", () => {
    return colony.stderr.lines.some((line) => line.includes(` message "${SHOWN}": RESTART-GROUP "${SHOWN}": no such`));
  });
  for (const line of colony.lines) assert(!HIDDEN.test(line), line);
});

Deno.test("the JSON log shows direction marks and zero-width characters as JSON escapes, which parse to the original", async () => {
  const child = { args: ["printf", "a\\033b\\177c\\302\\233d\u202ee\u200bf\\n\ufeffg\\n"] };
  await using colony = new Colony({ args: ["--log-format", "json"], config: { [NAME]: child } });
  const records = () => colony.lines.map((line) => JSON.parse(line));
  const lines = await colony.until("its lines", () => {
    const lines = records().filter(({ stream }) => stream === "stdout");
    return lines.length >= 2 && lines;
  });
  const start = records().find(({ message }) => message.includes("gone -> running"));
  assertEquals(start.process, NAME);
  assert(start.message.startsWith(`${NAME}: gone -> running (wanted), pid `));
  const told = lines.slice(0, 2).map(({ process, message }) => [process, message]);
  assertEquals(told, [[NAME, "a\x1bb\x7fc\x9bd\u202ee\u200bf"], [NAME, "\ufeffg"]]);
  for (const line of colony.lines) assertMatch(line, /^[ -~]*$/);
});

testOnTerminal(null, "a terminal shows names as a pipe gets them, and no line of the JSON log acts on it", async () => {
  const child = { args: ["printf", "\\033c\\177\\302\\233\\nout\\n"] };
  for (const [format, last] of [["text", `[${SHOWN}] out\r\n`], ["json", `"message":"out"}\r\n`]]) {
    using dir = tempDir();
    const places = ["--config", dir.dir("config"), "--messages", dir.dir("messages")];
    dir.write(`config/${NAME}`, JSON.stringify(child));
    const tool = toolCommand("monitor/mod.ts", MONITOR_PERMISSIONS);
    await using terminal = new Terminal([...tool, ...places, "--log-format", format!]);
    await terminal.waitFor(last!);
    for (const line of terminal.seen.split("\r\n")) assert(!HIDDEN.test(line), line);
  }
});

/** Would set a terminal's title, and write its line from right to left. */
const HOSTILE = "\x1b]0;owned\x07\u202ex\u200b\x9b\n";

Deno.test("no error message of a program contains characters that act on a terminal", async () => {
  const places = ["--config", HOSTILE, "--messages", `${HOSTILE}2`];
  const calls: readonly (readonly [module: string, argv: readonly string[]])[] = [
    ["ctl/mod.ts", [...places, "restart", HOSTILE]],
    ["ctl/mod.ts", [...places, "remove", "web"]],
    ["ctl/mod.ts", [HOSTILE]],
    ["monitor/mod.ts", places],
    ["monitor/mod.ts", [`--${HOSTILE}`]],
    ["beatcheck/mod.ts", places],
    ["httpcheck/mod.ts", places],
    ["scheduler/mod.ts", ["--cron", HOSTILE, "--timeout", "1", "--grace", "1", "--arg", "true"]],
    ["mod.ts", [HOSTILE]],
  ];
  for (const [module, argv] of calls) {
    const { code, stdout, stderr } = await runTool(module, argv);
    assert(code === 1 || code === 2, `${module} ${code}`);
    assertEquals(stdout, "");
    assertMatch(stderr, /^ncolony[^\n]*\n$/);
    assertMatch(stderr, /u202ex/, "it shows what it was given");
    assert(!HIDDEN.test(stderr.slice(0, -1)), JSON.stringify(stderr));
  }
});

Deno.test("a heart's error message contains no characters that act on a terminal", async () => {
  using dir = tempDir();
  const config = JSON.stringify(silent({ period: 1, grace: 1, status: dir.file(HOSTILE, "heart") }));
  const command = [Deno.execPath(), "run", "--quiet", "-A", "tests/host/heart_program.ts"];
  await using heart = new Program(command, { env: { NCOLONY_NAME: "web", NCOLONY_CONFIG: config } });
  assertEquals(await heart.ended(), 0);
  const [line, ...others] = heart.stderr;
  assertMatch(line!, /^heart: cannot touch heartbeat file ".*owned.*": no such file or directory$/);
  assert(!HIDDEN.test(line!), line);
  assertEquals(others, []);
});
