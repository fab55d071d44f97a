import { assertEquals, assertMatch } from "@std/assert";
import manifest from "../../reaper/deno.json" with { type: "json" };
import { REAPER_PERMISSIONS } from "./reaping.ts";
import { ROOT, runTool, signalIfThere, TIMEOUT_MS, toolCommand } from "./tools.ts";

/** Runs a reaper until it exits, with some bytes on its stdin. */
async function reap(
  argv: readonly string[],
  input: Uint8Array<ArrayBuffer> | null = null,
): Promise<{ code: number; stdout: Uint8Array; stderr: string }> {
  const [command, ...args] = [...toolCommand("reaper/mod.ts", REAPER_PERMISSIONS), ...argv];
  const stdin = input === null ? "null" : "piped";
  const child = new Deno.Command(command!, { args, cwd: ROOT, stdin, stdout: "piped", stderr: "piped" }).spawn();
  const timer = setTimeout(() => signalIfThere(child.pid, "SIGKILL"), 2 * TIMEOUT_MS);
  try {
    const writing = input === null ? null : new Blob([input]).stream().pipeTo(child.stdin);
    const { code, stdout, stderr } = await child.output();
    await writing;
    return { code, stdout, stderr: new TextDecoder().decode(stderr) };
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a reaper with some permissions. Returns its exit code and stderr. */
async function complaint(
  argv: readonly string[],
  permissions = REAPER_PERMISSIONS,
): Promise<[code: number, stderr: string]> {
  const { code, stdout, stderr } = await runTool("reaper/mod.ts", argv, permissions);
  assertEquals(stdout, "");
  return [code, stderr];
}

const CODES: readonly (readonly [script: string, code: number])[] = [
  ["exit 0", 0],
  ["exit 7", 7],
  ["exit 255", 255],
  ["kill -TERM $$", 143],
  ["kill -KILL $$", 137],
  ["kill -INT $$", 130],
  ["kill -USR1 $$", 138],
];

Deno.test("reaper exits with the command's exit code, or with 128 + n if signal n ended it", async () => {
  for (const [script, code] of CODES) {
    assertEquals([script, ...await complaint(["sh", "-c", script])], [script, code, ""]);
  }
});

Deno.test("reaper exits with 128 + n even for a signal without a name", async () => {
  assertEquals(await complaint(["sh", "-c", "kill -35 $$"]), [128 + 35, ""]);
});

Deno.test("reaper exits with 127 if the command does not exist, and reports that in one line", async () => {
  for (const command of ["no-such-command", "/no/such/command"]) {
    const [code, stderr] = await complaint([command, "--version"]);
    assertEquals(code, 127);
    assertMatch(
      stderr,
      /^ncolony-reaper: cannot run "[^"]+": command "[^"]+" or its interpreter: no such file or directory\n$/,
    );
    assertEquals(stderr.split(command).length, 3);
  }
});

Deno.test("reaper exits with 126 if the command cannot be executed, and reports that in one line", async () => {
  for (const command of ["/etc", "./deno.json"]) {
    const [code, stderr] = await complaint([command]);
    assertEquals(code, 126);
    assertMatch(stderr, /^ncolony-reaper: cannot run "[^"]+": .*permission denied.*\n$/);
  }
});

Deno.test("reaper reports a missing permission in one line, and exits with 1", async () => {
  for (const missing of REAPER_PERMISSIONS) {
    const [code, stderr] = await complaint(["true"], REAPER_PERMISSIONS.filter((it) => it !== missing));
    assertMatch(stderr, new RegExp(`^ncolony-reaper: .*${missing}.*\n$`));
    assertEquals([missing, code], [missing, 1]);
  }
});

const WRONG = [[], ["--"], ["--", ""], ["--nonsense", "true"], ["--grace", "soon", "true"], ["--group=1", "true"]];

Deno.test("reaper reports an invalid command line in one line, exits with 2, and runs nothing", async () => {
  for (const argv of WRONG) {
    const [code, stderr] = await complaint(argv);
    assertEquals([argv, code], [argv, 2]);
    assertMatch(stderr, /^ncolony-reaper: .+ \(try ncolony-reaper --help\)\n$/);
  }
});

Deno.test("reaper --help and --version need no permissions", async () => {
  const version = await runTool("reaper/mod.ts", ["--version"], []);
  assertEquals(version, { code: 0, stdout: `ncolony-reaper ${manifest.version}\n`, stderr: "" });
  const help = await runTool("reaper/mod.ts", ["--help", "ignored"], []);
  assertEquals([help.code, help.stderr], [0, ""]);
  for (const word of ["--grace SECONDS", "--kill-after SECONDS", "--group", "126", "127"]) {
    assertEquals(help.stdout.includes(word), true, word);
  }
});

Deno.test("reaper passes all words after the command on to it, even --help and empty words", async () => {
  const script = 'for it; do echo "<$it>"; done; exit $#';
  const words = ["--help", "", "a b", "--", "-x", "é\n"];
  const { code, stdout, stderr } = await reap(["sh", "-c", script, "sh", ...words]);
  assertEquals([code, stderr], [words.length, ""]);
  assertEquals(new TextDecoder().decode(stdout), words.map((word) => `<${word}>\n`).join(""));
});

Deno.test("the command gets reaper's stdin and stdout, byte for byte", async () => {
  const input = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7 + (at >> 8)) % 256);
  const { code, stdout, stderr } = await reap(["cat"], input);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout, input);
});

Deno.test("the command gets reaper's stderr, separate from stdout", async () => {
  const { code, stdout, stderr } = await reap(["sh", "-c", "echo out; echo err >&2; printf half >&2; exit 3"]);
  assertEquals([code, new TextDecoder().decode(stdout), stderr], [3, "out\n", "err\nhalf"]);
});

Deno.test("the command sees the end of stdin, even if stdin is empty", async () => {
  for (const input of [null, new Uint8Array()]) {
    const { code, stdout } = await reap(["sh", "-c", "cat; echo end"], input);
    assertEquals([code, new TextDecoder().decode(stdout)], [0, "end\n"]);
  }
});

Deno.test("reaper runs the command with stdin, stdout or stderr closed", async () => {
  const tool = toolCommand("reaper/mod.ts", REAPER_PERMISSIONS);
  for (const closed of ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"]) {
    const script = `"$@" ${closed}; echo "code $?"`;
    const args = ["-c", script, "sh", ...tool, "sh", "-c", "exit 6"];
    const { stdout } = await new Deno.Command("sh", { args, cwd: ROOT }).output();
    assertEquals([closed, new TextDecoder().decode(stdout)], [closed, "code 6\n"]);
  }
});

Deno.test("the command ends after its reader is gone, as it does without reaper", async () => {
  const tool = toolCommand("reaper/mod.ts", REAPER_PERMISSIONS);
  const script = '{ "$@"; echo "code $?" >&2; } | head -n 1';
  const args = ["-c", script, "sh", ...tool, "sh", "-c", "while echo line 2>&-; do :; done; exit 9"];
  const { stdout, stderr } = await new Deno.Command("sh", { args, cwd: ROOT }).output();
  const text = new TextDecoder();
  assertEquals(text.decode(stdout), "line\n");
  assertMatch(text.decode(stderr), /^code (?:141|9)\n$/);
});
