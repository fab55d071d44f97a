import { assert, assertEquals, assertMatch } from "@std/assert";
import { LOG_LEVELS, type LogFormat, type LogLevel } from "@ncolony/host";
import { createLog, jsonLine } from "../../host/output/log.ts";

/** Returns the lines that a log writes for an event of each level. */
function linesOf(level: LogLevel, format: LogFormat, message = "something", process?: string): string[] {
  const lines: string[] = [];
  const log = createLog(level, format, (line) => lines.push(line));
  for (const level of LOG_LEVELS) log[level](message, process);
  return lines;
}

Deno.test("createLog() writes the time, the level and the message, one line per event", () => {
  const [line] = linesOf("debug", "text", "running -> gone (unwanted)", "web");
  assertMatch(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z DEBUG web: running -> gone \(unwanted\)\n$/);
});

Deno.test("createLog() writes events of its level and above", () => {
  const levels = ["DEBUG", "INFO", "WARN", "ERROR"];
  LOG_LEVELS.forEach((level, i) => {
    assertEquals(linesOf(level, "text").map((line) => line.split(" ")[1]), levels.slice(i));
    assertEquals(linesOf(level, "json").map((line) => JSON.parse(line).level), levels.slice(i));
  });
});

Deno.test("createLog() escapes characters that would begin a new line or move the cursor", () => {
  const [line] = linesOf("error", "text", "a\nb\r\0\u001b[2J\u007f\u009b\u2028\u2029é🚀");
  assertEquals(line.split(" ERROR ")[1], "a\\u000ab\\u000d\\u0000\\u001b[2J\\u007f\\u009b\\u2028\\u2029é🚀\n");
});

Deno.test("createLog() shows invisible characters and direction marks", () => {
  const text = "a\u202eb\u200b\ufeff\u{e0001}";
  assertMatch(linesOf("error", "text", text)[0], / ERROR a\\u202eb\\u200b\\ufeff\\u\{e0001\}\n$/);
  const [line] = linesOf("error", "json", text, text);
  assertMatch(line, /^[ -~]*\n$/);
  const { message, process } = JSON.parse(line);
  assertEquals([message, process], [`${text}: ${text}`, text]);
});

Deno.test("createLog() cuts the name at the start of a line at 100 characters, of one or two code units", () => {
  const nameIn = (name: string) => linesOf("error", "text", "is wrong", name)[0].split(" ERROR ")[1];
  for (const character of ["a", "😀"]) {
    assertEquals(nameIn(character.repeat(100)), `${character.repeat(100)}: is wrong\n`);
    assertEquals(nameIn(character.repeat(101)), `${character.repeat(100)}…: is wrong\n`);
  }
  assertEquals(nameIn(`${"a".repeat(99)}😀😀`), `${"a".repeat(99)}😀…: is wrong\n`);
});

Deno.test("createLog() writes JSON objects with the time, level, process, stream and message", () => {
  const [line] = linesOf("error", "json", 'say "hello"\n', "web");
  assertEquals(line.indexOf("\n"), line.length - 1);
  const { time, ...event } = JSON.parse(line);
  assertEquals(new Date(time).toISOString(), time);
  assertEquals(event, { level: "ERROR", process: "web", stream: null, message: 'web: say "hello"\n' });
});

Deno.test("createLog() writes null as the process of an event that concerns none", () => {
  assertEquals(JSON.parse(linesOf("error", "json")[0]).process, null);
});

Deno.test("createLog() adds the fields that there are to a JSON line, after all others, and none to a line of text", () => {
  const lines: string[] = [];
  for (const format of ["text", "json"] as const) {
    const log = createLog("debug", format, (line) => lines.push(line));
    for (const level of LOG_LEVELS) {
      log[level]("x", "web", { event: "killed", signal: undefined, reason: "a\u001b\u202e\nb" });
      log[level]("y", undefined, { from: "me" });
    }
  }
  const texts = lines.slice(0, 8).map((line) => line.replace(/^\S+ [A-Z]+ /, ""));
  assertEquals(texts, Array(4).fill(["web: x\n", "y\n"]).flat());
  for (const [i, line] of lines.slice(8).entries()) {
    const [process, fields] = i % 2 === 0
      ? ['"web","stream":null,"message":"web: x"', String.raw`"event":"killed","reason":"a\u001b\u202e\nb"`]
      : ['null,"stream":null,"message":"y"', '"from":"me"'];
    assert(line.endsWith(`,"process":${process},${fields}}\n`), line);
  }
});

Deno.test("createLog() leaves patterns in a message unchanged", () => {
  for (const message of ["{msg} %s ${x}", "$& $1", ""]) {
    assert(linesOf("error", "text", message)[0].endsWith(` ERROR ${message}\n`));
    assertEquals(JSON.parse(linesOf("error", "json", message)[0]).message, message);
  }
});

Deno.test("jsonLine() has the keys of an event, and marks a partial line", () => {
  const time = new Date("2026-01-31T03:00:00Z");
  const line = { time: "2026-01-31T03:00:00.000Z", level: "INFO", process: "web", stream: "stdout", message: "hi" };
  assertEquals(jsonLine("web", "stdout", "hi", time, false), `${JSON.stringify(line)}\n`);
  assertEquals(JSON.parse(jsonLine("web", "stdout", "hi", time, true)), { ...line, partial: true });
  const later = "2026-01-31T03:00:00.001Z";
  assertEquals(JSON.parse(jsonLine("web", "stdout", "hi", new Date(later), false)), { ...line, time: later });
});
