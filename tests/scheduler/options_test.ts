import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UsageError } from "@ncolony/core";
import { type Invocation, parseOptions } from "../../scheduler/options.ts";

const RUN = ["--timeout", "10", "--grace", "1", "--arg", "run"];
const EVERY = ["--frequency", "60"];
const CRON = ["--cron", "@daily"];

const DEFAULTS: Invocation = {
  args: ["run"],
  timeout: 10,
  grace: 1,
  killScope: "all",
  catchUp: false,
  once: false,
};

const GOOD: readonly (readonly [words: readonly string[], invocation: Partial<Invocation>])[] = [
  [EVERY, { frequency: 60 }],
  [["--freq=0.5"], { frequency: 0.5 }],
  [["--frequency", "1", "--frequency", "2"], { frequency: 2 }],
  [[...EVERY, "--arg", "--arg", "--arg=--config=/etc/x", "--arg="], {
    frequency: 60,
    args: ["run", "--arg", "--config=/etc/x", ""],
  }],
  [[...EVERY, "--grace", "0"], { frequency: 60, grace: 0 }],
  [[...EVERY, "--splay", "59.9"], { frequency: 60, splay: 59.9 }],
  [[...EVERY, "--max-failures", "3"], { frequency: 60, maxFailures: 3 }],
  [[...EVERY, "--kill-scope", "process"], { frequency: 60, killScope: "process" }],
  [[...EVERY, "--next", "5"], { frequency: 60, next: 5 }],
  [CRON, { cron: "@daily" }],
  [["--cron=*/5 * * * *"], { cron: "*/5 * * * *" }],
  [["--cron", "*/5 * * * * *"], { cron: "*/5 * * * * *" }],
  [[...CRON, "--timezone", "Europe/Berlin"], { cron: "@daily", timezone: "Europe/Berlin" }],
  [[...CRON, "--catch-up"], { cron: "@daily", catchUp: true }],
  [[...CRON, "--splay", "3600"], { cron: "@daily", splay: 3600 }],
  [[...CRON, "--last", "/f"], { cron: "@daily", last: "/f" }],
  [["--once"], { once: true }],
  [["--once", ...EVERY], { once: true, frequency: 60 }],
  [["--once", ...CRON], { once: true, cron: "@daily" }],
];

for (const [words, invocation] of GOOD) {
  Deno.test(`parseOptions() accepts ${words.join(" ")}`, () => {
    const zone = { name: "Asia/Tokyo", source: "TZ" };
    const isMachine = invocation.cron !== undefined && invocation.timezone === undefined;
    const expected = {
      ...DEFAULTS,
      ...invocation,
      ...(isMachine ? { timezone: zone.name, zoneSource: zone.source } : {}),
    };
    assertEquals(parseOptions([...RUN, ...words], () => zone).options, expected);
  });
}

Deno.test("parseOptions() reads the options for the log", () => {
  assertEquals(parseOptions([...RUN, ...EVERY]).output, { level: "info", format: "text" });
  const { output } = parseOptions([...RUN, ...EVERY, "--log-level=warn", "--log-format=json", "--log-file", "x"]);
  assertEquals(output, { level: "warn", format: "json", file: "x" });
  assertEquals(parseOptions([...RUN, ...EVERY, "--raw"]).output, { level: "info", format: "text", raw: true });
});

Deno.test("parseOptions() requires nothing else with --help or --version", () => {
  for (const [word, flag] of [["--help", "help"], ["-h", "help"], ["--version", "version"]] as const) {
    const { options, flags } = parseOptions([word]);
    assertEquals([options, [...flags]], [null, [flag]]);
  }
});

const WRONG: readonly (readonly [words: readonly string[], complaint: string])[] = [
  [["--timeout", "1", "--grace", "1", ...EVERY], "--arg is missing"],
  [["--timeout", "1", "--grace", "1", "--arg", "", ...EVERY], "--arg is missing"],
  [["--grace", "1", "--arg", "run", ...EVERY], "--timeout is missing"],
  [["--timeout", "1", "--arg", "run", ...EVERY], "--grace is missing"],
  [RUN, "--frequency or --cron is missing"],
  [[...RUN, "--next", "3", "--once"], "--frequency or --cron is missing"],
  [[...RUN, ...EVERY, ...CRON], "--frequency and --cron cannot be used together"],
  [[...RUN, ...EVERY, "--timezone", "UTC"], "--timezone needs --cron"],
  [[...RUN, ...EVERY, "--catch-up"], "--catch-up needs --cron"],
  [[...RUN, "--once", "--timezone", "UTC"], "--timezone needs --cron"],
  [[...RUN, ...EVERY, "--splay", "60"], "--splay must be less than --frequency"],
  [[...RUN, ...EVERY, "--splay", "-1"], "--splay must be a number of seconds from 0"],
  [[...RUN, "--frequency", "0"], "--frequency must be a number of seconds from 0.001"],
  [[...RUN, "--frequency", "soon"], "--frequency must be a number of seconds"],
  [[...RUN, "--freq", ""], "--frequency must be a number of seconds"],
  [[...RUN, "--frequency", "1e10"], "--frequency must be a number of seconds"],
  [[...RUN, "--frequency", "NaN"], "--frequency must be a number of seconds"],
  [[...RUN, ...EVERY, "--timeout", "0"], "--timeout must be a number of seconds from 0.001"],
  [[...RUN, ...EVERY, "--timeout", "-1"], "--timeout must be a number of seconds"],
  [[...RUN, ...EVERY, "--grace", "-1"], "--grace must be a number of seconds from 0"],
  [[...RUN, ...EVERY, "--grace", "Infinity"], "--grace must be a number of seconds from 0"],
  [[...RUN, ...EVERY, "--max-failures", "0"], "--max-failures must be a whole number from 1 to 999999999"],
  [[...RUN, ...EVERY, "--max-failures", "1.5"], "--max-failures must be a whole number from 1 to 999999999"],
  [[...RUN, ...EVERY, "--next", "0"], "--next must be a whole number from 1 to 999999999"],
  [[...RUN, ...EVERY, "--next", "all"], "--next must be a whole number from 1 to 999999999"],
  [[...RUN, ...EVERY, "--kill-scope", "cgroup"], "--kill-scope must be one of process, group, session, all"],
  [[...RUN, "--cron", ""], '--cron "" must have five fields, or six with seconds'],
  [[...RUN, "--cron", "* * *"], '--cron "* * *" must have five fields, or six with seconds first: got 3'],
  [[...RUN, "--cron", "61 * * * *"], '--cron "61 * * * *": the minute must be 0 to 59'],
  [[...RUN, "--once", "--cron", "* 24 * * *"], '--cron "* 24 * * *": the hour must be 0 to 23'],
  [[...RUN, ...CRON, "--timezone", "Mars/Base"], '--timezone "Mars/Base" is unknown'],
  [[...RUN, ...EVERY, "--grace"], "--grace needs a value: SECONDS"],
  [[...RUN, ...EVERY, "--once=yes"], "--once takes no value"],
  [[...RUN, ...EVERY, "--every", "5"], "unknown option --every"],
  [[...RUN, ...EVERY, "-f", "5"], "unknown option -f"],
  [[...RUN, ...EVERY, "stray"], 'unexpected argument "stray"'],
  [[...RUN, ...EVERY, "--", "ls"], 'unexpected argument "ls"'],
  [[...RUN, ...EVERY, "--log-level", "loud"], "--log-level must be one of"],
];

for (const [words, complaint] of WRONG) {
  Deno.test(`parseOptions() rejects ${words.join(" ")}: ${complaint}`, () => {
    const { message } = assertThrows(() => parseOptions(words), UsageError, complaint);
    assertMatch(message, /^[^\n]+$/);
  });
}
