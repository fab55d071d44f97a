import { MAX_LINE_BYTES } from "@ncolony/core";
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { Random } from "../core/random.ts";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { command, PATIENT, SCHEDULER_PERMISSIONS } from "./scheduling.ts";
import { Terminal, testOnTerminal } from "./terminal.ts";
import { latin1, MONITOR_PERMISSIONS, removeCgroups, sh, toolCommand } from "./tools.ts";

/** What a child writes, and what a terminal gets: one character per byte, without the newline. */
const LINES: readonly (readonly [what: string, written: string, shown: string])[] = [
  ["a color", "\x1b[31mred\x1b[0m", "\\u001b[31mred\\u001b[0m"],
  ["a title", "\x1b]0;owned\x07", "\\u001b]0;owned\\u0007"],
  ["a cleared screen", "\x1b[2J\x1b[H", "\\u001b[2J\\u001b[H"],
  ["an 8-bit control", "\x9b31m", "\\x9b31m"],
  ["8-bit controls in UTF-8", "\xc2\x9b31m \xc2\x80\xc2\x9f", "\\u009b31m \\u0080\\u009f"],
  ["8-bit controls in torn characters", "\xe2\x9b[ \xf0\x9f\x9b[ \xc2", "\xe2\\x9b[ \xf0\\x9f\\x9b[ \xc2"],
  ["overlong controls", "\xc0\x9b \xe0\x80\x9b \xf0\x80\x80\x9b", "\xc0\\x9b \xe0\\x80\\x9b \xf0\\x80\\x80\\x9b"],
  ["what is no character", "\xed\xa0\x80 \xf4\x90\x80\x80", "\xed\xa0\\x80 \xf4\\x90\\x80\\x80"],
  ["backspaces", "password\b\b\b", "password\\u0008\\u0008\\u0008"],
  ["a progress bar", "10%\r20%\r", "10%\\u000d20%"],
  ["a line of DOS", "dir\r", "dir"],
  ["two carriage returns", "dir\r\r", "dir\\u000d"],
  ["NUL, DEL and a form feed", "\0 \x7f \f", "\\u0000 \\u007f \\u000c"],
  ["other characters", utf8("é ⛳ 日本 👩‍💻 \u00a0 \u202e"), utf8("é ⛳ 日本 👩‍💻 \u00a0 \u202e")],
  ["bytes of Latin-1", "caf\xe9 \xa0\xff", "caf\xe9 \xa0\xff"],
  ["tabs and spaces", "a\tb  ", "a\tb  "],
  ["backslashes", "\\u001b \\x9b", "\\u001b \\x9b"],
  ["nothing", "", ""],
];

const WRITTEN = LINES.map(([, written]) => written);
const SHOWN = LINES.map(([, , shown]) => shown);

/** A monitor on a terminal. Two children write some bytes and then `all`: `out` to stdout, `err` to stderr. */
class Shown implements AsyncDisposable {
  readonly dir: TempDir = tempDir();
  readonly terminal: Terminal;

  /** Starts the monitor. DIR stands for its directory. */
  constructor(bytes: string, options: readonly string[] = [], redirection = "", permissions = MONITOR_PERMISSIONS) {
    const [written, config, messages] = [this.dir.file("written"), this.dir.dir("config"), this.dir.dir("messages")];
    Deno.writeFileSync(written, bytesOf(bytes));
    for (const [name, prelude] of [["out", ""], ["err", "exec >&2; "]]) {
      const args = sh(`${prelude}cat '${written}'; echo all; exec cat`);
      Deno.writeTextFileSync(join(config, name!), JSON.stringify({ args }));
    }
    const tool = [...toolCommand("monitor/mod.ts", permissions), "--config", config, "--messages", messages];
    const words = [...tool, ...options].map((word) => word.replace("DIR", this.dir.path));
    this.terminal = new Terminal([
      "sh",
      "-c",
      `exec "$@" ${redirection.replace("DIR", this.dir.path)}`,
      "sh",
      ...words,
    ]);
  }

  /** Waits for all lines of a child, on the terminal or in a file. Returns them without the prefix. */
  async linesOf(name: "out" | "err", file?: string): Promise<string[]> {
    const text = () => file === undefined ? this.terminal.bytes.replaceAll("\r\n", "\n") : this.#textOf(file);
    const lines = () => text().split("\n").filter((line) => line.startsWith(`[${name}`));
    await until(`${name} has written all`, () => lines().includes(`[${name}] all`));
    return lines().slice(0, -1).map((line) => line.slice(line.indexOf("] ") + 2));
  }

  #textOf(file: string): string {
    try {
      return latin1(Deno.readFileSync(this.dir.file(file)));
    } catch (error) {
      // The file does not exist yet.
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminal[Symbol.asyncDispose]();
    await removeCgroups(this.terminal.seen.split("\r\n"));
    this.dir[Symbol.dispose]();
  }
}

for (const name of ["out", "err"] as const) {
  testOnTerminal(null, `the monitor escapes control characters of a child on std${name}`, async () => {
    await using shown = new Shown(text(WRITTEN));
    assertEquals(await shown.linesOf(name), SHOWN);
  });
}

testOnTerminal(null, "--raw passes on what children write unchanged", async () => {
  await using shown = new Shown(text(WRITTEN), ["--raw"]);
  assertEquals(await shown.linesOf("out"), WRITTEN);
  assertEquals(await shown.linesOf("err"), WRITTEN);
});

testOnTerminal(null, "the monitor passes on what children write unchanged to a stream that is a file", async () => {
  await using shown = new Shown(text(WRITTEN), [], "2> DIR/log");
  assertEquals(await shown.linesOf("out"), SHOWN);
  assertEquals(await shown.linesOf("err", "log"), WRITTEN);
});

testOnTerminal(null, "--log-file gets what children write unchanged", async () => {
  await using shown = new Shown(text(WRITTEN), ["--log-file", "DIR/log"]);
  assertEquals(await shown.linesOf("out", "log"), WRITTEN);
  assertEquals(await shown.linesOf("err", "log"), WRITTEN);
});

testOnTerminal(null, "--log-file escapes control characters if the file is the terminal", async () => {
  await using shown = new Shown(text(WRITTEN), ["--log-file", "/dev/tty"], "", ["-A"]);
  assertEquals(await shown.linesOf("out"), SHOWN);
  assertEquals(await shown.linesOf("err"), SHOWN);
});

testOnTerminal(null, "the monitor escapes control characters even where a long line is cut into pieces", async () => {
  const ends = [0, 1, 2, 3, 4, 5].map((back) => "x".repeat(MAX_LINE_BYTES - back));
  const lines = [
    ...ends.map((end) => [`${end}\xc2\x9b\x1b[2J${utf8("⛳")}\r`, `${end}\\u009b\\u001b[2J${utf8("⛳")}`]),
    ...ends.map((end) => [`${end}\ry`, `${end}\\u000dy`]),
    ["\x9b".repeat(20_000), "\\x9b".repeat(20_000)],
    ["\x1b".repeat(40_000), "\\u001b".repeat(40_000)],
  ] as const;
  await using shown = new Shown(text(lines.map(([written]) => written)));
  assertEquals((await shown.linesOf("out")).join(""), lines.map(([, shown]) => shown).join(""));
});

testOnTerminal(null, "the monitor escapes all control characters among random bytes", async () => {
  const random = new Random(1);
  const bytes = Uint8Array.from({ length: 300_000 }, () => random.below(256));
  await using shown = new Shown(`${latin1(bytes)}\n`);
  const lines = await shown.linesOf("out");
  assert(lines.join("").length > 300_000);
  for (const line of lines) {
    const decoded = new TextDecoder().decode(bytesOf(line));
    // deno-lint-ignore no-control-regex -- the test searches for control characters
    assert(!/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/.test(decoded));
    // Invalid bytes become U+FFFD, whose UTF-8 contains no such byte.
    assertEquals(countOfC1(line), countOfC1(utf8(decoded)));
  }
});

testOnTerminal(null, "the scheduler escapes its command's lines as the monitor does its children's", async () => {
  using dir = tempDir();
  const file = dir.file("written");
  Deno.writeFileSync(file, bytesOf(text(WRITTEN)));
  const tool = [...toolCommand("scheduler/mod.ts", SCHEDULER_PERMISSIONS), "--once", ...PATIENT];
  for (const [options, expected] of [[[], SHOWN], [["--raw"], WRITTEN]] as const) {
    await using terminal = new Terminal([...tool, ...options, ...command("cat", file)]);
    assertEquals(await terminal.ended(), 0);
    const lines = terminal.bytes.replaceAll("\r\n", "\n").split("\n").filter((line) => line.startsWith("[cat] "));
    assertEquals(lines.map((line) => line.slice("[cat] ".length)), expected);
  }
});

/** Joins lines to a text. */
function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function utf8(text: string): string {
  return latin1(new TextEncoder().encode(text));
}

/** Returns the number of bytes that 8-bit terminals take for control characters. */
function countOfC1(text: string): number {
  return text.match(/[\x80-\x9f]/g)?.length ?? 0;
}
