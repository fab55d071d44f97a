import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { MAX_LINE_BYTES } from "@ncolony/core";
import { type LogFormat, Output } from "@ncolony/host";
import { type TempDir, tempDir, until } from "../helpers.ts";
import { Actor } from "./actors.ts";

const encoder = new TextEncoder();

/** An output to a file. */
class Filed implements Disposable {
  readonly dir: TempDir = tempDir();
  readonly file: string = this.dir.file("log");
  readonly output: Output;

  constructor(format: LogFormat) {
    this.output = new Output({ level: "info", format, file: this.file });
  }

  /** Waits until everything is written. Returns the bytes of the file. */
  async bytes(): Promise<Uint8Array> {
    await this.output.flush(10_000);
    return Deno.readFileSync(this.file);
  }

  /** Returns the lines of the file, each with its newline. */
  async lines(): Promise<string[]> {
    return new TextDecoder().decode(await this.bytes()).match(/[^\n]*\n|[^\n]+$/g) ?? [];
  }

  /** Returns the lines of the file after a child wrote these chunks to stdout. */
  async linesOf(...chunks: (string | Uint8Array)[]): Promise<string[]> {
    const child = this.output.forChild("web");
    for (const chunk of chunks) await child.stdout(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
    child.end();
    return await this.lines();
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}

Deno.test("Output puts a child's name before each of its lines", async () => {
  using filed = new Filed("text");
  const lines = await filed.linesOf("one\ntw", "o\n", "\n", "[web] four\r\n");
  assertEquals(lines, ["[web] one\n", "[web] two\n", "[web] \n", "[web] [web] four\r\n"]);
});

Deno.test("Output ends a last line without a newline, and writes no empty one", async () => {
  using filed = new Filed("text");
  assertEquals(await filed.linesOf("one\ntwo"), ["[web] one\n", "[web] two\n"]);
  assertEquals(await filed.linesOf(), ["[web] one\n", "[web] two\n"]);
});

Deno.test("Output splits a long line into pieces, which are marked after the first", async () => {
  using filed = new Filed("text");
  const text = "x".repeat(2 * MAX_LINE_BYTES) + "rest";
  const lines = await filed.linesOf(`${text}\nnext\n`);
  assertEquals(lines.map((line) => /^\S+/.exec(line)?.[0]), ["[web]", "[web+]", "[web+]", "[web]"]);
  assertEquals(lines.slice(0, 3).map((line) => line.replace(/^\S+ (.*)\n$/, "$1")).join(""), text);
  assertEquals(lines[3], "[web] next\n");
});

Deno.test("Output puts the name before every line of a flood of short ones", async () => {
  using filed = new Filed("text");
  const lines = Array.from({ length: 50_000 }, (_, index) => `${index % 7}`.repeat(index % 4));
  const children = ["web", "a".repeat(100)].map((name) => ({ name, output: filed.output.forChild(name) }));
  // At the same time, because they share a buffer for lines.
  await Promise.all(children.map(async ({ output }) => {
    await output.stdout(encoder.encode(lines.map((line) => `${line}\n`).join("")));
    output.end();
  }));
  const written = await filed.lines();
  assertEquals(written.length, 100_000);
  for (const { name } of children) {
    const own = written.filter((line) => line.startsWith(`[${name}] `)).map((line) => line.slice(name.length + 3, -1));
    assertEquals(own, lines);
  }
});

Deno.test("Output passes on the bytes of a child unchanged in text", async () => {
  using filed = new Filed("text");
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 0x0a);
  await filed.linesOf(all);
  assertEquals([...await filed.bytes()], [...encoder.encode("[web] "), ...all, 0x0a]);
});

Deno.test("Output writes each line of a child as a JSON object, with U+FFFD for bytes that are not UTF-8", async () => {
  using filed = new Filed("json");
  const [line, ...others] = await filed.linesOf(Uint8Array.of(0x61, 0xff, 0x1b, 0x22, 0x0a));
  const { time, ...rest } = JSON.parse(line);
  assertEquals(new Date(time).toISOString(), time);
  assertEquals(rest, { level: "INFO", process: "web", stream: "stdout", message: 'a\ufffd\u001b"' });
  assertEquals(others, []);
});

Deno.test("Output keeps all of a UTF-8 line in JSON, and escapes what acts on a terminal", async () => {
  using filed = new Filed("json");
  const text = "\ufeffa\u007fb\u009bc\u2028d\u202ee\u200b\u{e0001}\r";
  const [line] = await filed.linesOf(`${text}\n`);
  assertEquals(JSON.parse(line).message, text);
  assertMatch(line, /^[ -~]*\n$/);
});

Deno.test("Output shows a name that is long or has hidden characters as the log does", async () => {
  using filed = new Filed("text");
  for (const name of [`a\u202e\n${"x".repeat(200)}`, "web"]) {
    const child = filed.output.forChild(name);
    await child.stdout(encoder.encode("out\n"));
    child.end();
  }
  assertEquals(await filed.lines(), [`[a\\u202e\\u000a${"x".repeat(97)}…] out\n`, "[web] out\n"]);
});

Deno.test("Output marks in JSON which pieces of a long line are followed by another", async () => {
  using filed = new Filed("json");
  const text = "x".repeat(2 * MAX_LINE_BYTES) + "rest";
  const pieces = (await filed.linesOf(`${text}\n`)).map((line) => JSON.parse(line));
  assertEquals(pieces.map(({ partial }) => partial), [true, true, undefined]);
  assertEquals(pieces.map(({ message }) => message).join(""), text);
});

Deno.test("Output writes events and the lines of all children to a file in order", async () => {
  using filed = new Filed("text");
  const children = ["web", "db"].map((name) => filed.output.forChild(name));
  const expected: string[] = [];
  for (let i = 0; i < 100; i++) {
    filed.output.log.info(`event ${i}`);
    await children[i % 2].stdout(encoder.encode(`out ${i}\n`));
    await children[i % 2].stderr(encoder.encode(`err ${i}\n`));
    expected.push(`event ${i}`, `[${["web", "db"][i % 2]}] out ${i}`, `[${["web", "db"][i % 2]}] err ${i}`);
  }
  for (const child of children) child.end();
  const lines = (await filed.lines()).map((line) => line.replace(/^\S+ INFO /, "").trimEnd());
  assertEquals(lines, expected);
});

Deno.test("Output keeps lines whole of children that write at the same time", async () => {
  using filed = new Filed("text");
  const speak = async (name: string) => {
    const child = filed.output.forChild(name);
    for (let i = 0; i < 200; i++) await child.stdout(encoder.encode(`${name}${i} begins, ${name}${i} ends\n${name}`));
    child.end();
  };
  await Promise.all(["a", "b", "c", "d"].map(speak));
  for (const line of await filed.lines()) assertMatch(line, /^\[(.)\] (\1)*\1?(\d+ begins, \1\d+ ends)?\n$/);
});

Deno.test("Output appends to a file", async () => {
  using filed = new Filed("text");
  await filed.linesOf("one\n");
  const second = new Output({ level: "info", format: "text", file: filed.file });
  second.log.warn("two");
  await second.flush(10_000);
  const lines = await filed.lines();
  assertEquals([lines.length, lines[0]], [2, "[web] one\n"]);
});

Deno.test("Output throws if the file cannot be opened", () => {
  const file = "/no/such/directory/log";
  assertThrows(() => new Output({ level: "info", format: "text", file }), Error, `Cannot write to "${file}": `);
});

Deno.test("Output omits events below its level", async () => {
  using filed = new Filed("text");
  filed.output.log.debug("hidden");
  filed.output.log.error("shown");
  const lines = await filed.lines();
  assertEquals(lines.length, 1);
  assert(lines[0].endsWith(" ERROR shown\n"));
});

Deno.test("Output.flush() waits until the output of all children has ended", async () => {
  using filed = new Filed("text");
  const child = filed.output.forChild("web");
  let isFlushed = false;
  filed.output.flush(3_600_000).then(() => isFlushed = true);
  await child.stdout(encoder.encode("one\nrest"));
  await until("the line is written", () => Deno.readTextFileSync(filed.file) !== "");
  await filed.output.flush(20);
  assertEquals(isFlushed, false);
  child.end();
  await until("it is flushed", () => isFlushed);
  assertEquals(Deno.readTextFileSync(filed.file), "[web] one\n[web] rest\n");
});

Deno.test("Output.flush() waits no longer than its limit", async () => {
  using filed = new Filed("text");
  filed.output.forChild("web");
  await filed.output.flush(1);
  assertEquals(await Deno.readTextFile(filed.file), "");
});

Deno.test("Output reports how many events were lost because they came faster than they could be written", async () => {
  using filed = new Filed("text");
  const event = "x".repeat(1000);
  for (let i = 0; i < 3000; i++) filed.output.log.info(event);
  const lines = await filed.lines();
  const lost = 3000 - (lines.length - 1);
  assert(lost > 0);
  assert(lines.at(-1)?.endsWith(` WARN ${lost} lines of this log were lost, because it was not read fast enough\n`));
});

/** Returns an actor that has written output, with its streams redirected by `redirection`. */
async function spoken(options: { format: LogFormat; file?: string }, redirection = ""): Promise<Actor> {
  const under = ["sh", "-c", `exec "$@" ${redirection}`, "sh"];
  await using actor = new Actor(["speak", JSON.stringify({ level: "info", ...options })], under);
  assertEquals(await actor.code(), 0);
  return actor;
}

Deno.test("Output writes a child's stdout to stdout, and its stderr and the events to stderr", async () => {
  const { stdout, stderr } = await spoken({ format: "text" });
  assertEquals(stdout, "[web] out1\n[web] out2\n");
  assertMatch(stderr, /^\S+ INFO before\n\[web\] err1\n\[web\] err2\n\S+ INFO after\n$/);
});

Deno.test("Output writes nothing to stdout and stderr if it has a file", async () => {
  using dir = tempDir();
  const { stdout, stderr } = await spoken({ format: "json", file: dir.file("log") });
  assertEquals([stdout, stderr], ["", ""]);
  const lines = Deno.readTextFileSync(dir.file("log")).trimEnd().split("\n").map((line) => JSON.parse(line).message);
  assertEquals(lines, ["before", "out1", "err1", "out2", "err2", "after"]);
});

Deno.test("Output reports once on stderr that it cannot write to stdout or its file, and goes on", async () => {
  const { stderr } = await spoken({ format: "text" }, "> /dev/full");
  const told = stderr.split("\n").filter((line) => line.includes("cannot write"));
  assertEquals(told.length, 1);
  assertMatch(told[0], / ERROR cannot write to stdout: no space left on device; its output is lost$/);
  assertMatch(stderr, /INFO after\n$/);
  const filed = await spoken({ format: "text", file: "/dev/full" });
  assertMatch(
    filed.stderr,
    /^\S+ ERROR cannot write to \/dev\/full: no space left on device; its output is lost\n$/,
  );
});

Deno.test("Output goes on if stderr cannot be written to", async () => {
  const { stdout } = await spoken({ format: "text" }, "2> /dev/full");
  assertEquals(stdout, "[web] out1\n[web] out2\n");
});

Deno.test("Output shows an unfinished line after a second, and marks the rest as its continuation", async () => {
  for (const format of ["text", "json"] as const) {
    using filed = new Filed(format);
    const child = filed.output.forChild("web");
    await child.stdout(encoder.encode("before\nPassword: "));
    await until("it is shown", () => Deno.readTextFileSync(filed.file).includes("Password"));
    await child.stdout(encoder.encode("given\n"));
    child.end();
    const lines = await filed.lines();
    if (format === "text") assertEquals(lines, ["[web] before\n", "[web] Password: \n", "[web+] given\n"]);
    else {
      const parsed = lines.map((line) => JSON.parse(line)).map(({ message, partial = false }) => [message, partial]);
      assertEquals(parsed, [["before", false], ["Password: ", true], ["given", false]]);
    }
  }
});

Deno.test("Output tears no line of a process that never stops writing", async () => {
  using filed = new Filed("text");
  const child = filed.output.forChild("web");
  for (const end = performance.now() + 2500; performance.now() < end;) {
    // Each write ends a line, and begins one that the next write ends.
    await child.stdout(encoder.encode("end\nbegin, "));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.end();
  assertEquals((await filed.lines()).filter((line) => line.startsWith("[web+]")), []);
});
