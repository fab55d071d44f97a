/** `ctl logs`, and `--log-time` of the monitor. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { colonyIn, followRotations, words } from "./rotating.ts";
import { StatusColony } from "./status_files.ts";
import { Program } from "./program.ts";
import { type TempDir, tempDir } from "../helpers.ts";
import { hasCommand, type Result, run, sh } from "./tools.ts";

async function logs(dir: TempDir, ...args: string[]): Promise<Result> {
  return await run(words(dir, ...args));
}

function lines({ stdout }: Result): string[] {
  return stdout.split("\n").slice(0, -1);
}

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ([OE-]) /;

/** Returns a line without its time. */
function plain(line: string): string {
  return line.replace(STAMP, "$1 ");
}

Deno.test("--log-time puts the time and the stream before each line, and marks each start and end", async () => {
  using dir = tempDir();
  // A line in two pieces is one line, and the end of what was written is no line of its own.
  const script = "echo one; printf 'tw'; sleep 0.1; echo o; echo three >&2; printf four; exit 3";
  const config = {
    web: { args: sh(script) },
    off: { args: sh("echo plain; exec sleep 1000"), "ncolony.monitor": { log: { time: false } } },
  };
  await using colony = colonyIn(dir, config, "--log-time", "-m", "1");
  await colony.told("web", "waiting again", ({ state, starts }) => state === "waiting" && starts === 2);
  await colony.inState("off", "running");
  assertEquals(await colony.stop(), 0);
  const text = Deno.readTextFileSync(dir.file("logs/web.log"));
  const run = (start: number) => {
    return [`- start ${start}`, "O one", "O two", "E three", "O four", `- end of start ${start}: exit code 3`];
  };
  const written = text.split("\n").slice(0, -1).map(plain);
  // stdout and stderr are two pipes.
  const sorted = (all: readonly string[]) => all.toSorted();
  assertEquals(sorted(written), sorted([...run(1), ...run(2)]));
  assertEquals([written[0], written[5], written[6], written.at(-1)], [run(1)[0], run(1)[5], run(2)[0], run(2)[5]]);
  assertEquals(Deno.readTextFileSync(dir.file("logs/off.log")), "plain\n");
  const { stdout } = await logs(dir, "web");
  assertEquals(stdout, text);
});

Deno.test('"log": {"time": true} of a config gives its log times', async () => {
  using dir = tempDir();
  const timed = { args: sh("echo one; exec sleep 1000"), "ncolony.monitor": { log: { time: true } } };
  await using colony = colonyIn(dir, {
    timed,
    missing: { args: ["/no/such"], "ncolony.monitor": { log: { time: true } } },
  });
  await colony.until(
    "it is written",
    () => lines({ stdout: readIf(dir.file("logs/timed.log")) } as Result).length === 2,
  );
  assertEquals(readIf(dir.file("logs/timed.log")).split("\n").map(plain), ["- start 1", "O one", ""]);
  await colony.until(
    "the failed start is marked",
    () => /end of start 1: cannot start: /.test(readIf(dir.file("logs/missing.log"))),
  );
});

function readIf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Writes a log of three starts. */
function written(dir: TempDir): void {
  const at = (minute: number, text: string) => `2026-01-31T03:0${minute}:00.000Z ${text}\n`;
  const old = [at(0, "- start 1"), at(0, "O first"), at(1, "E failed: a"), at(1, "- end of start 1: exit code 1")];
  const middle = [
    at(2, "- start 2"),
    at(2, "O second"),
    "which goes on\n",
    at(3, "E failed: b"),
    at(3, "- end of start 2: SIGKILL"),
  ];
  const last = [at(4, "- start 3"), at(4, "O third"), at(5, "E warning")];
  Deno.writeTextFileSync(join(dir.dir("logs"), "web.log.2"), old.join(""));
  Deno.writeTextFileSync(dir.file("logs/web.log.1"), middle.join(""));
  Deno.writeTextFileSync(dir.file("logs/web.log"), last.join("") + "2026-01-31T03:06:00.000Z O unended");
}

Deno.test("ctl logs selects lines by number, time, stream, start and expression, over rotated files", async () => {
  using dir = tempDir();
  written(dir);
  const shown = async (...args: string[]) => {
    const result = await logs(dir, "web", ...args);
    assertEquals([result.code, result.stderr], [0, ""]);
    return lines(result).map(plain);
  };
  assertEquals(await shown("-n", "2"), ["E warning", "O unended"]);
  assertEquals((await shown("-n", "5")).length, 5);
  assertEquals((await shown()).length, 13);
  assertEquals(await shown("--lines", "0"), []);
  assertEquals(await shown("--grep", "failed: [ab]"), ["E failed: a", "E failed: b"]);
  assertEquals(await shown("--stream", "err"), ["E failed: a", "E failed: b", "E warning"]);
  assertEquals(await shown("--stream", "err", "-n", "1"), ["E warning"]);
  assertEquals(await shown("--run", "2"), [
    "- start 2",
    "O second",
    "which goes on",
    "E failed: b",
    "- end of start 2: SIGKILL",
  ]);
  assertEquals(await shown("--run", "last"), ["- start 3", "O third", "E warning", "O unended"]);
  assertEquals(await shown("--run", "2", "--stream", "out"), ["O second", "which goes on"]);
  const nothing = await logs(dir, "web", "--run", "9");
  assertEquals([nothing.code, nothing.stderr], [4, "ncolony-ctl: there is no start 9 in the logs\n"]);
  assertEquals(await shown("-n", "0", "--stream", "err"), []);
  assertEquals(await shown("--grep", "^(first|second)$"), ["O first", "O second"]);
  assertEquals(await shown("--since", "2026-01-31T03:04:30Z"), ["E warning", "O unended"]);
  assertEquals(await shown("--since", "10s"), []);
  assertEquals((await shown("--since", "9999d")).length, 13);
  assertEquals(await shown("--since", "2026-01-31 03:04:30"), ["E warning", "O unended"]);
  // The file with the marks of starts 1 and 2 is removed.
  Deno.removeSync(dir.file("logs/web.log.2"));
  Deno.writeTextFileSync(dir.file("logs/web.log.1"), "2026-01-31T03:03:00.000Z O of start 2\n");
  assertEquals(await shown("--run", "2"), ["O of start 2"]);
  Deno.writeTextFileSync(dir.file("logs/web.log"), "2026-01-31T03:04:00.000Z O more\n");
  assertEquals(await shown("--run", "last"), ["O of start 2", "O more"]);
});

Deno.test("ctl logs shows any number of lines, and ends quietly when nobody reads them", async () => {
  using dir = tempDir();
  const many = Array.from({ length: 200_000 }, (_, at) => `2026-01-31T03:00:00.000Z O ${at}\n`).join("");
  Deno.writeTextFileSync(join(dir.dir("logs"), "web.log"), `2026-01-31T03:00:00.000Z - start 1\n${many}`);
  for (const option of [["-n", "1000000"], ["--since", "9999d"], ["--run", "last"]]) {
    const { code, stdout, stderr } = await logs(dir, "web", ...option);
    assertEquals([code, stdout.length > 200_000 * 30, stderr], [0, true, ""]);
  }
  const command = words(dir, "web", "-n", "100000").map((word) => `'${word}'`).join(" ");
  for (const follow of ["", " -f"]) {
    const { stdout, stderr } = await run(["sh", "-c", `{ ${command}${follow}; echo "code $?" >&2; } | head -1`]);
    assertEquals([lines({ stdout } as Result).length, stderr], [1, "code 0\n"]);
  }
});

Deno.test("ctl logs -f shows nothing again when a file is gone, and follows one start only while it lasts", async () => {
  using dir = tempDir();
  written(dir);
  await using following = new Program(words(dir, "-f", "-n", "1", "web"));
  await using only = new Program(words(dir, "-f", "--run", "3"));
  await only.waitFor(/third$/);
  await following.waitFor(/warning$/);
  const append = (text: string) => {
    Deno.writeTextFileSync(dir.file("logs/web.log"), `2026-01-31T03:07:00.000Z ${text}\n`, { append: true });
  };
  Deno.writeTextFileSync(dir.file("logs/web.log"), "\n", { append: true });
  await following.waitFor(/ O unended$/);
  append("O more");
  append("- start 4");
  append("O of start 4");
  await following.waitFor(/of start 4$/);
  Deno.removeSync(dir.file("logs/web.log"));
  append("O anew");
  await following.waitFor(/anew$/);
  assertEquals(following.stdout.map(plain), [
    "E warning",
    "O unended",
    "O more",
    "- start 4",
    "O of start 4",
    "O anew",
  ]);
  const all = ["- start 3", "O third", "E warning", "O unended", "O more"];
  assertEquals(only.stdout.map((line) => plain(line.replace(/^web \| /, ""))), all);
  // It is over, so nothing more can come.
  const over = await logs(dir, "web", "-f", "--run", "1");
  assertEquals([over.code, lines(over).length], [0, 4]);
});

Deno.test("what is no log does not keep ctl logs from showing the others", async () => {
  using dir = tempDir();
  written(dir);
  Deno.mkdirSync(dir.file("logs/folder.log"));
  assertEquals((await run(["mkfifo", dir.file("logs/fifo.log")])).code, 0);
  Deno.symlinkSync("web.log", dir.file("logs/link.log"));
  Deno.writeTextFileSync(dir.file("logs/plain.log"), "no times\n");
  const { code, stdout, stderr } = await logs(dir, "--stream", "err");
  assertEquals([code, lines({ stdout } as Result).length], [1, 3]);
  for (const name of ["folder.log", "fifo.log", "link.log", '"plain" has no times']) assertStringIncludes(stderr, name);
});

Deno.test("a monitor that was killed leaves no line that the next one goes on, and one that stops marks the end", async () => {
  using dir = tempDir();
  Deno.writeTextFileSync(join(dir.dir("logs"), "web.log"), "2026-01-31T03:00:00.000Z O begun");
  const held = { args: sh("setsid sleep 5 & echo one; exec sleep 1000"), "ncolony.monitor": { kill_scope: "process" } };
  await using colony = colonyIn(dir, { web: held }, "--log-time");
  await colony.until("it is written", () => readIf(dir.file("logs/web.log")).includes(" O one\n"));
  assertEquals(await colony.stop(), 0);
  assertEquals(readIf(dir.file("logs/web.log")).split("\n").map(plain), [
    "O begun",
    "- start 1",
    "O one",
    "- end of start 1: SIGTERM",
    "",
  ]);
});

Deno.test("a process cannot put the mark of a start into its log", async () => {
  using dir = tempDir();
  const forged = "2026-11-30T00:00:00.000Z - start 99";
  const script =
    `printf part; sleep 1.3; printf '${forged}'; sleep 0.2; echo error >&2; sleep 0.2; echo; echo end; exec sleep 1000`;
  await using colony = colonyIn(dir, { web: { args: sh(script) } }, "--log-time");
  await colony.until("it is written", () => readIf(dir.file("logs/web.log")).includes(" O end\n"));
  const written = readIf(dir.file("logs/web.log")).split("\n").slice(0, -1);
  assert(written.every((line) => STAMP.test(line)), written.join("\n"));
  assertEquals(written.filter((line) => / - start/.test(line.slice(0, 40))).length, 1);
});

Deno.test("ctl logs merges the logs of several processes by time, with their names", async () => {
  using dir = tempDir();
  written(dir);
  Deno.writeTextFileSync(dir.file("logs/db.log"), "2026-01-31T03:04:30.000Z O between\n");
  Deno.writeTextFileSync(dir.file("logs/db.log.old"), "not a log\n");
  const merged = await logs(dir, "-n", "3");
  assertEquals(
    lines(merged).map((line) => line.replace(/2026\S+/, "T")),
    [
      "web | T O third",
      "db | T O between",
      "web | T E warning",
      "web | T O unended",
    ] as readonly string[],
  );
  const named = await logs(dir, "db", "web", "-n", "1");
  assertEquals(lines(named).map((line) => line.split(" | ")[0]), ["db", "web"]);
});

Deno.test("ctl logs says what it needs, and where the output is if there are no logs", async () => {
  using dir = tempDir();
  await using colony = new StatusColony({ config: { web: { args: ["cat"] } } });
  await colony.inState("web", "running");
  const none = await run([...words(dir), "--status", colony.status]);
  assertEquals([none.code, none.stdout], [1, ""]);
  const where =
    `the monitor (pid ${colony.process.pid}) prints what processes write on its own stdout and stderr, or in its --log-file`;
  assertEquals(none.stderr, `ncolony-ctl: there are no logs in "${dir.file("logs")}": ${where}\n`);
  Deno.writeTextFileSync(join(dir.dir("logs"), "web.log"), "one\ntwo\n");
  assertEquals(lines(await logs(dir, "web", "-n", "1")), ["two"]);
  for (const option of [["--since", "1h"], ["--stream", "out"], ["--run", "last"]]) {
    const { code, stderr } = await logs(dir, "web", ...option);
    assertEquals(code, 1);
    assertMatch(stderr, /^ncolony-ctl: the log of "web" has no times: run the monitor with --log-time, or set /);
  }
  const unknown = await logs(dir, "wbe");
  assertEquals([unknown.code, unknown.stderr], [4, 'ncolony-ctl: There is no "wbe": did you mean "web"?\n']);
  const silent = await run([...words(dir, "db"), "--config", dir.dir("conf")]);
  assertEquals(silent.code, 4);
  Deno.writeTextFileSync(dir.file("conf/db"), "{}");
  assertStringIncludes((await run([...words(dir, "db"), "--config", dir.file("conf")])).stderr, '"db" has no log: ');
  for (const wrong of [["--since", "soon"], ["--stream", "both"], ["--run", "first"], ["--grep", "("], ["-n", "-1"]]) {
    assertEquals((await logs(dir, "web", ...wrong)).code, 2, wrong.join(" "));
  }
});

Deno.test("ctl logs -f loses no line and shows none twice over 1,000 rotations, and new processes join", async () => {
  await followRotations(2400, 17);
});

const hasScript = hasCommand("script");

Deno.test({
  name: `on a terminal, ctl logs escapes what could control it, and names have colors${
    hasScript ? "" : " (skipped: needs script)"
  }`,
  ignore: !hasScript,
  fn: async () => {
    using dir = tempDir();
    Deno.writeTextFileSync(join(dir.dir("logs"), "web.log"), "\x1b]0;title\x07one\n");
    Deno.writeTextFileSync(dir.file("logs/db.log"), "two\n");
    const command = words(dir).map((word) => `'${word}'`).join(" ");
    const { stdout } = await run(["script", "-qec", `unset NO_COLOR; ${command}`, "/dev/null"]);
    const [db, web] = stdout.replaceAll("\r", "").replaceAll("\x1b", "<escape>").split("\n").slice(-3);
    assertMatch(db!, /<escape>\[\d+mdb<escape>\[0m \| two$/);
    assertMatch(web!, /^<escape>\[\d+mweb<escape>\[0m \| \\u001b\]0;title\\u0007one$/);
    const raw = await logs(dir, "web");
    assertEquals(raw.stdout, "\x1b]0;title\x07one\n");
  },
});
