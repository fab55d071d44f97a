import { assert, assertEquals, assertMatch } from "@std/assert";
import { tempDir } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { sh } from "./tools.ts";

/** Runs each process once. */
const ONCE = ["-t", "1e6", "-m", "1e6", "-M", "1e6"];

const EVENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARN|ERROR) \S/;

/** A line of the JSON format. */
interface Record {
  readonly time: string;
  readonly level: string;
  readonly process: string | null;
  readonly stream: string | null;
  readonly message: string;
  readonly partial?: boolean;
}

/** A line of more than 100 KiB, with characters of one to four bytes, and the script that writes it. */
const LONG = "aé€😀".repeat(10_500);
const LONG_SCRIPT = sh("i=0; while [ $i -lt 10500 ]; do printf 'aé€😀'; i=$((i + 1)); done; echo; echo after");

/** Runs a process until it exits, and stops the monitor, so that all output has been written. */
async function runOne(args: string[], format: "text" | "json"): Promise<Colony> {
  const colony = new Colony({ args: [...ONCE, "--log-format", format], config: { web: { args } } });
  try {
    await colony.waitFor(/web: stopping -> waiting/);
    assertEquals(await colony.stop(), 0);
    return colony;
  } catch (error) {
    await colony[Symbol.asyncDispose]();
    throw error;
  }
}

function records(lines: readonly string[]): Record[] {
  return lines.map((line) => JSON.parse(line));
}

Deno.test("the monitor writes a line as [name] line to its own stream, and events to stderr with time and level", async () => {
  await using colony = await runOne(sh("echo out; echo err >&2; echo; echo '  spaced  '"), "text");
  assertEquals(colony.stdout?.lines, ["[web] out", "[web] ", "[web]   spaced  "]);
  assertEquals(colony.stderr.lines.filter((line) => line.startsWith("[")), ["[web] err"]);
  const events = colony.stderr.lines.filter((line) => !line.startsWith("["));
  for (const event of events) assertMatch(event, EVENT);
  assertMatch(
    events[0]!,
    /Z INFO ncolony-monitor \S+ on .*; without --allow-all it cannot read \/proc and finds fewer /,
  );
  assertMatch(events[1]!, /Z INFO web: gone -> running \(wanted\), pid \d+$/);
});

Deno.test("the JSON format writes every line of both streams as an object that begins with the same keys", async () => {
  await using colony = await runOne(sh(`echo out; echo '{"quo"ted\\' >&2; echo; exit 3`), "json");
  const out = records(colony.stdout!.lines);
  const err = records(colony.stderr.lines);
  for (const record of [...out, ...err]) {
    const keys = Object.keys(record);
    const common = record.process === null || record.stream !== null ? keys : keys.slice(0, 5);
    assertEquals(common, ["time", "level", "process", "stream", "message"]);
    assertEquals(new Date(record.time).toISOString(), record.time);
  }
  const tell = ({ level, process, stream, message }: Record) => [level, process, stream, message];
  assertEquals(out.map(tell), [["INFO", "web", "stdout", "out"], ["INFO", "web", "stdout", ""]]);
  assertEquals(err.filter(({ stream }) => stream !== null).map(tell), [["INFO", "web", "stderr", '{"quo"ted\\']]);
  const started = err.find(({ message }) => message.startsWith("web: gone -> running (wanted), pid "));
  assertEquals([started?.level, started?.process, started?.stream], ["INFO", "web", null]);
  assertEquals(err.at(-1)?.process, null);
});

Deno.test("the text format splits a long line into marked pieces that join to the original", async () => {
  await using colony = await runOne(LONG_SCRIPT, "text");
  const pieces = colony.stdout!.lines.map((line) => /^\[web(\+?)\] (.*)$/.exec(line)!);
  assertEquals(pieces.at(-1)?.[0], "[web] after");
  const long = pieces.slice(0, -1);
  assert(long.length > 2);
  assertEquals(long.map(([, mark]) => mark), ["", ...Array(long.length - 1).fill("+")]);
  assert(long.map(([, , text]) => text).join("") === LONG);
});

Deno.test("the JSON format splits a long line into partial objects that join to the original", async () => {
  await using colony = await runOne(LONG_SCRIPT, "json");
  const pieces = records(colony.stdout!.lines);
  assertEquals(pieces.at(-1)?.message, "after");
  const long = pieces.slice(0, -1);
  assert(long.length > 2);
  assertEquals(long.map(({ partial }) => partial), [...Array(long.length - 1).fill(true), undefined]);
  assert(long.map(({ message }) => message).join("") === LONG);
});

const BYTES = sh(String.raw`printf 'a\377\376\r\033[1m\000z\nnot \303'; printf 'ended'`);

Deno.test("the text format passes on bytes that are not UTF-8, and keeps a last line without a newline", async () => {
  await using colony = await runOne(BYTES, "text");
  assertEquals(colony.stdout?.latin1(), "[web] a\xff\xfe\r\x1b[1m\0z\n[web] not \xc3ended\n");
});

Deno.test("the JSON format writes U+FFFD for bytes that are not UTF-8, and keeps a last line without a newline", async () => {
  await using colony = await runOne(BYTES, "json");
  const messages = records(colony.stdout!.lines).map(({ message }) => message);
  assertEquals(messages, ["a\ufffd\ufffd\r\x1b[1m\0z", "not \ufffdended"]);
});

Deno.test("the monitor writes a process's last lines even if a grandchild keeps its streams open", async () => {
  await using colony = new Colony({ args: ONCE });
  // The grandchild stays in the leader's group, so that the harness can kill it.
  colony.put("web", { args: sh("sleep 1000 & seq 1 3000"), "ncolony.monitor": { kill_scope: "process" } });
  await colony.waitFor(/^\[web\] 3000$/);
  assertEquals(colony.stdout?.lines, Array.from({ length: 3000 }, (_, index) => `[web] ${index + 1}`));
});

Deno.test("the monitor writes what a process prints while it stops before the monitor exits", async () => {
  await using colony = new Colony({
    config: { web: { args: sh("trap 'seq 1 3000; exit 0' TERM; echo ready; while :; do sleep 0.02; done") } },
  });
  await colony.waitFor(/^\[web\] ready$/);
  assertEquals(await colony.stop(), 0);
  assertEquals(colony.stdout?.lines.slice(1), Array.from({ length: 3000 }, (_, index) => `[web] ${index + 1}`));
});

Deno.test("--log-level selects events of that level and above, and always passes on the processes' lines", async () => {
  await using colony = new Colony({
    args: ["--log-level", "warn"],
    config: { web: { args: sh("echo out; echo err >&2; exec cat") }, bad: "{" },
  });
  await colony.waitFor(/^\[web\] out$/);
  await colony.waitFor(/^\[web\] err$/);
  await colony.waitFor(/ WARN bad: invalid config: /);
  assertEquals(await colony.stop(), 0);
  assertEquals(colony.matching(/ INFO | DEBUG /), []);
});

Deno.test("--log-file takes all output instead of the streams, and appends it", async () => {
  using dir = tempDir();
  const file = dir.write("log", "before\n");
  await using colony = new Colony({
    args: ["--log-file", file],
    config: { web: { args: sh("echo out; echo err >&2; exec cat") } },
  });
  const lines = () => Deno.readTextFileSync(file).split("\n");
  await colony.until("both lines are there", () => ["[web] out", "[web] err"].every((line) => lines().includes(line)));
  assertEquals(await colony.stop(), 0);
  assertEquals(lines()[0], "before");
  assertMatch(lines().find((line) => line.includes("web: gone -> running"))!, EVENT);
  assertEquals([colony.stdout?.lines, colony.stderr.lines], [[], []]);
});
