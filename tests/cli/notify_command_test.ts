/** How notify runs its command: one run at a time, with all that waits, again if it fails, and within limits. */

import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { existsSync } from "@std/fs/exists";
import { join } from "@std/path";
import { isAlive, until } from "../helpers.ts";
import { commandOf, type NoticeDocument, NotifyGround, telling } from "./notifying.ts";
import { Program } from "./program.ts";
import { gone, signalIfThere, timeOf } from "./tools.ts";

/** Returns a command that tells, and then waits until a file exists. It marks its begin and its end. */
function waitingFor(ground: NotifyGround, file: string): string {
  const [marks, go] = [ground.dir.file("marks"), ground.dir.file(file)];
  return `echo begin >>${marks}; ${telling(ground.dir)}; until [ -e ${go} ]; do sleep 0.02; done; echo end >>${marks}`;
}

function marksOf(ground: NotifyGround): string[] {
  return Deno.readTextFileSync(ground.dir.file("marks")).trim().split("\n");
}

/** Waits until the command was told so often. */
async function told(ground: NotifyGround, times: number): Promise<readonly NoticeDocument[]> {
  return await until(`it is told ${times} times`, () => ground.told().length >= times && ground.told());
}

Deno.test("what happens while the command runs is told by one later run, and it never runs twice at once", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  await using notified = await ground.notify("killed", ...commandOf(waitingFor(ground, "go")));
  ground.record(["one", "killed"]);
  await told(ground, 1);
  for (let at = 0; at < 5; at++) {
    ground.record(["more", "killed"]);
    // Each is read by itself.
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  assertEquals(ground.told().length, 1);
  Deno.writeTextFileSync(ground.dir.file("go"), "");
  const [one, more] = await told(ground, 2);
  assertEquals([one!.count, more!.count, more!.events.length], [1, 5, 5]);
  assertEquals(more!.summary, "more did not end in time and was sent SIGKILL; and 4 more");
  await notified.waitFor(/ INFO run 2: exit code 0 after/);
  assertEquals(marksOf(ground), ["begin", "end", "begin", "end"]);
  assertEquals(notified.matching(/skipped|WARN|ERROR/), []);
});

Deno.test("--not-more-often is the least time from one start of the command to the next", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  await using notified = await ground.notify("killed", "--not-more-often", "3");
  ground.record(["one", "killed"]);
  await told(ground, 1);
  ground.record(["two", "killed"]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  ground.record(["three", "killed"]);
  const [, second] = await told(ground, 2);
  assertEquals(second!.events.map(({ name }) => name), ["two", "three"]);
  const starts = notified.lines.filter((line) => / INFO reporting to /.test(line)).map(timeOf);
  assert(starts[1]! - starts[0]! >= 2990, `${starts}`);
});

Deno.test("of very many events the newest are told, and the others counted, in bounded variables", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  const count = `printf '%s\\n' "$NCOLONY_TEXT" >${ground.dir.file("text")}; ${waitingFor(ground, "go")}`;
  await using notified = await ground.notify("killed", ...commandOf(count));
  ground.record(["one", "killed"]);
  await told(ground, 1);
  const names = Array.from({ length: 3500 }, (_, at) => `process-${at}`);
  // More than the reader takes at a time.
  for (let at = 0; at < names.length; at += 500) {
    ground.record(...names.slice(at, at + 500).map((name) => [name, "killed"] as const));
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  Deno.writeTextFileSync(ground.dir.file("go"), "");
  const [, many] = await told(ground, 2);
  assertEquals([many!.count, many!.events.length], [3500, 1000]);
  assertEquals(many!.events.map(({ name }) => name), names.slice(-1000));
  assertEquals(many!.summary, "process-3499 did not end in time and was sent SIGKILL; and 3499 more");
  const [missing, ...lines] = Deno.readTextFileSync(ground.dir.file("text")).trim().split("\n");
  assert(lines.length > 50 && lines.join("\n").length <= 10_000);
  assertEquals(missing, `(${3500 - lines.length} earlier events are not listed)`);
  assertMatch(lines.at(-1)!, /process-3499 did not end/);
  await notified.waitFor(/ INFO run 2: exit code 0/);
  // What is long is bounded as well.
  const message = "x".repeat(30_000);
  const problem = { message, field: null, line: 1, column: 1 };
  await using other = await ground.notify("problem", "--state", ground.dir.file("notify", "other"));
  ground.record(...Array.from({ length: 30 }, (_, at) => [`web-${at}`, "problem", problem] as const));
  const [, , long] = await told(ground, 3);
  assertEquals(long!.count, 30);
  assertEquals(long!.events.length, 8, "256 KiB");
  assertLess(long!.summary.length, 1000);
  // One that is longer than all that is kept otherwise.
  ground.record(["huge", "problem", { ...problem, message: "x".repeat(400_000) }]);
  const [, , , huge] = await told(ground, 4);
  assertEquals([huge!.count, huge!.events.length, huge!.events[0]!.name], [1, 1, "huge"]);
  assertEquals(other.matching(/WARN|ERROR/), []);
});

Deno.test("nothing that is told can begin a line or control a terminal, and the JSON is what happened", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  const hostile = "\x1b[2J\n\r\0\x9b‮\u2028\ud800﻿\"'$(touch x)`";
  const show = `${telling(ground.dir)}; printenv NCOLONY_TEXT NCOLONY_SUMMARY NCOLONY_NAME >${ground.dir.file("env")}`;
  await using notified = await ground.notify("problem,unhealthy", ...commandOf(show));
  ground.report("httpcheck", "web", false, hostile);
  const [{ events: [sick] }] = await told(ground, 1) as [NoticeDocument];
  assertEquals(sick!.reason, hostile);
  ground.record([hostile, "problem", { message: hostile, field: null, line: 1, column: 1 }]);
  const [, { events: [event] }] = await told(ground, 2) as [NoticeDocument, NoticeDocument];
  assertEquals([event!.name, event!.message], [hostile, hostile]);
  await notified.waitFor(/ INFO run 2: exit code 0/);
  const lines = Deno.readTextFileSync(ground.dir.file("env")).trimEnd().split("\n");
  assertEquals(lines.length, 3);
  const raw = Deno.readTextFileSync(ground.dir.file("told")) + lines.join("");
  // deno-lint-ignore no-control-regex -- there must be none
  assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\ufeff]/.exec(raw), null);
  assertStringIncludes(lines[2]!, "\\u001b[2J\\u000a\\u000d\\u0000\\u009b\\u202e\\u2028\\ud800\\ufeff\"'$(touch x)`");
  assertEquals(notified.lines.filter((line) => line.includes("\x1b")), []);
});

Deno.test("a command that fails is logged with its last line of stderr, and run again after growing delays with all that came", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  const go = ground.dir.file("go");
  const fail = `if [ -e ${go} ]; then ${
    telling(ground.dir)
  }; else echo first >&2; echo "no $NCOLONY_COUNT" >&2; exit 7; fi`;
  await using notified = await ground.notify("killed", ...commandOf(fail));
  ground.record(["one", "killed"]);
  const said = / WARN sh failed \(exit code 7; its last line on stderr: no (\d)\): trying again in (\d+) s$/;
  assertEquals((await notified.waitFor(said)).slice(1), ["1", "1"]);
  ground.record(["two", "killed"]);
  assertEquals((await notified.waitFor(said, 2)).slice(1), ["2", "2"]);
  assertEquals((await notified.waitFor(said, 3)).slice(1), ["2", "4"]);
  assertEquals(ground.remembered()!.id, 0, "nothing was told");
  const starts = notified.lines.filter((line) => / INFO reporting to /.test(line)).map(timeOf);
  assert(starts[1]! - starts[0]! >= 1000 && starts[2]! - starts[1]! >= 2000, `${starts}`);
  Deno.writeTextFileSync(go, "");
  const [document] = await told(ground, 1);
  assertEquals(document!.events.map(({ name }) => name), ["one", "two"]);
  await until("it is remembered", () => ground.remembered()!.id === document!.events[1]!.id);
  // The next failure begins with 1 s again.
  Deno.removeSync(go);
  ground.record(["three", "killed"]);
  assertEquals((await notified.waitFor(said, 4)).slice(1), ["1", "1"]);
  assertEquals(notified.stderr.filter((line) => line === "[sh] first").length, 4);
});

Deno.test("a command that cannot start, is ended by a signal or takes too long has failed", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  const cases: readonly (readonly [words: readonly string[], says: RegExp])[] = [
    [["--arg", "/no/such"], /WARN such failed \(cannot start: .*"\/no\/such".*\): trying again in 1 s$/],
    [commandOf("kill -KILL $$"), /WARN sh failed \(SIGKILL\): trying again in 1 s$/],
    [
      ["--timeout", "0.5", "--grace", "0.1", ...commandOf("echo late >&2; trap '' TERM; sleep 1000 & wait; wait")],
      /WARN sh failed \(timed out; its last line on stderr: late\): trying again in 1 s$/,
    ],
  ];
  for (const [index, [words, says]] of cases.entries()) {
    const state = ground.dir.file("notify", `${index}`);
    const all = ground.words("killed", "--state", state, ...words);
    await using notified = new Program(all);
    await notified.until("it has begun", () => existsSync(state));
    ground.record(["web", "killed"]);
    await notified.waitFor(says);
    assertEquals(await notified.stop(), 0);
  }
});

Deno.test("a command that does not read its stdin, or leaves a process behind, is told all the same, and nothing is left", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  const leave = `exec <&-; sleep 1000 & echo "pid $!" ; ${telling(ground.dir).replace("cat", "echo '{}'")}`;
  await using notified = await ground.notify("killed", "--grace", "1", ...commandOf(leave));
  // More than a pipe holds.
  ground.record(...Array.from({ length: 900 }, () => ["web".repeat(50), "killed"] as const));
  await notified.waitFor(/ INFO run 1: exit code 0/);
  const pid = await notified.numberIn(/^\[sh\] pid (\d+)$/);
  await gone(pid);
  await until("it is remembered", () => ground.remembered()!.id !== 0);
});

Deno.test("a stop lets the command end, and remembers what it was told", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  await using notified = await ground.notify("killed", ...commandOf(waitingFor(ground, "go")));
  const id = ground.record(["one", "killed"]);
  await told(ground, 1);
  notified.process.kill("SIGTERM");
  ground.record(["late", "killed"]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assertEquals(notified.isOver, false);
  Deno.writeTextFileSync(ground.dir.file("go"), "");
  assertEquals(await notified.ended(), 0);
  assertEquals([marksOf(ground), ground.remembered()!.id], [["begin", "end"], id]);
});

Deno.test("under a monitor the command gets SIGTERM, and SIGKILL, before the kill time of notify is over, and is told again", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  const stubborn = `${telling(ground.dir)}; trap 'echo got TERM' TERM; echo "pid $$"; while :; do sleep 0.05; done`;
  const config = JSON.stringify({ args: ["x"], "ncolony.monitor": { kill_time: 3 } });
  const env = { NCOLONY_NAME: "notify", NCOLONY_CONFIG: config };
  const words = ground.words("killed", "--grace", "1000", ...commandOf(stubborn));
  {
    await using notified = new Program(words, { env });
    await notified.until("it has begun", () => ground.remembered() !== null);
    ground.record(["one", "killed"]);
    const pid = await notified.numberIn(/^\[sh\] pid (\d+)$/);
    const begun = performance.now();
    assertEquals(await notified.stop(), 0);
    assertLess(performance.now() - begun, 20_000);
    assertEquals([isAlive(pid), notified.count(/^\[sh\] got TERM$/)], [false, 1]);
    await notified.waitFor(/ WARN sh failed \(stopped(; .*)?\): the next start reports it$/);
    await notified.waitFor(/WARN --grace 1000 is longer than the monitor allows with a kill_time of 3 s: /);
  }
  assertEquals(ground.remembered()!.id, 0);
  await using again = await ground.notify("killed");
  await told(ground, 2);
  assertEquals(ground.toldWords(), ["one killed", "one killed"]);
  assertEquals(await again.stop(), 0);
});

Deno.test("a second request to stop ends the command with SIGTERM, and a third with SIGKILL", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  const stubborn = `trap 'echo got TERM' TERM; echo "pid $$"; while :; do sleep 0.05; done`;
  await using notified = await ground.notify("killed", "--grace", "1000", ...commandOf(stubborn));
  ground.record(["one", "killed"]);
  const pid = await notified.numberIn(/^\[sh\] pid (\d+)$/);
  try {
    const ask = async () => {
      // Signals within a second are one request.
      await new Promise((resolve) => setTimeout(resolve, 1100));
      notified.process.kill("SIGTERM");
    };
    await ask();
    await ask();
    await notified.waitFor(/^\[sh\] got TERM$/);
    assertEquals(isAlive(pid), true);
    await ask();
    assertEquals(await notified.ended(), 0);
    await gone(pid);
  } finally {
    signalIfThere(-pid, "SIGKILL");
  }
});

Deno.test("notify that is killed tells again what its command was being told", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  const words = commandOf(`echo "pid $$"; ${waitingFor(ground, "go")}`);
  const id = await (async () => {
    await using notified = await ground.notify("killed", ...words);
    const id = ground.record(["one", "killed"]);
    await told(ground, 1);
    const pid = await notified.numberIn(/^\[sh\] pid (\d+)$/);
    await notified.stop("SIGKILL");
    signalIfThere(-pid, "SIGKILL");
    return id;
  })();
  Deno.writeTextFileSync(ground.dir.file("go"), "");
  await using _again = await ground.notify("killed", ...words);
  await until("it is remembered", () => ground.remembered()!.id === id);
  assertEquals(ground.toldWords(), ["one killed", "one killed"]);
  assertEquals(existsSync(join(ground.dir.path, "notify", "notify.lock")), true);
});
