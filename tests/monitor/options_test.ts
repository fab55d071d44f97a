import { assert, assertEquals, assertLessOrEqual, assertMatch, assertThrows } from "@std/assert";
import { UsageError } from "@ncolony/core";
import { DEFAULTS, HELP, type Options, parseOptions } from "../../monitor/options.ts";

const PLACES = ["--config", "c", "--messages", "m"];

/** Every option with a value, all of its names, and a valid value. */
const VALUED: readonly { readonly names: readonly string[]; readonly key: keyof Options; readonly value: string }[] = [
  { names: ["--config"], key: "config", value: "/etc/colony" },
  { names: ["--messages"], key: "messages", value: "/run/colony" },
  { names: ["--pid"], key: "pid", value: "/run/pids" },
  { names: ["--status"], key: "status", value: "/run/status" },
  { names: ["--kill-scope"], key: "killScope", value: "session" },
  { names: ["--frequency", "--freq"], key: "frequency", value: "2.5" },
  { names: ["--threshold", "-t"], key: "threshold", value: "3" },
  { names: ["--killtime", "-k"], key: "killtime", value: "0" },
  { names: ["--stop-within"], key: "stopWithin", value: "9.5" },
  { names: ["--minrestartdelay", "-m"], key: "minrestartdelay", value: "0.25" },
  { names: ["--maxrestartdelay", "-M"], key: "maxrestartdelay", value: "1e9" },
];

const NUMBERS = VALUED.filter(({ key }) => key in DEFAULTS || key === "stopWithin");

function parse(...argv: string[]): Options {
  const { options } = parseOptions(argv);
  assert(options !== null);
  return options;
}

function complaint(...argv: string[]): string {
  const { message } = assertThrows(() => parseOptions(argv), UsageError);
  assert(!message.includes("\n"), "one line");
  return message;
}

Deno.test("parseOptions() returns the defaults of Python NColony", () => {
  assertEquals(parse(...PLACES), {
    config: "c",
    messages: "m",
    frequency: 10,
    threshold: 1,
    killtime: 5,
    minrestartdelay: 1,
    maxrestartdelay: 3600,
  });
  assertEquals(parseOptions(PLACES).output, { level: "info", format: "text" });
  assertEquals([...parseOptions(PLACES).flags], []);
});

Deno.test("parseOptions() accepts every option as two words and with =, under each of its names", () => {
  for (const { names, key, value } of VALUED) {
    const expected = NUMBERS.some((it) => it.key === key) ? Number(value) : value;
    for (const name of names) {
      const joined = name.startsWith("--") ? `${name}=${value}` : `${name}${value}`;
      assertEquals(parse(...PLACES, name, value)[key], expected, `${name} ${value}`);
      assertEquals(parse(...PLACES, joined)[key], expected, joined);
    }
  }
});

Deno.test("parseOptions() uses the last of several values", () => {
  assertEquals(parse(...PLACES, "--threshold", "2", "-t", "3").threshold, 3);
  assertEquals(parse(...PLACES, "--config", "d").config, "d");
});

Deno.test("parseOptions() uses the next word as the value, whatever it begins with", () => {
  assertEquals(parse("--config", "--messages", "--messages", "-m").config, "--messages");
  assertEquals(parse("--config", "--messages", "--messages", "-m").messages, "-m");
  assertEquals(parse("--config=a=b", "--messages", "m").config, "a=b");
});

Deno.test("parseOptions() reads the options for the output", () => {
  const argv = ["--log-level", "warn", "--log-format=json", "--log-file", "/var/log/colony"];
  assertEquals(parseOptions([...PLACES, ...argv]).output, { level: "warn", format: "json", file: "/var/log/colony" });
  assertEquals(parseOptions([...PLACES, "--raw"]).output, { level: "info", format: "text", raw: true });
});

Deno.test("parseOptions() names an option with an invalid number", () => {
  for (const { names } of NUMBERS) {
    for (const value of ["x", "", " ", "-1", "1e10", "Infinity", "NaN", "1s", "1,5"]) {
      for (const name of names) {
        const message = complaint(...PLACES, name, value);
        assert(message.includes(names[0]!), `${name} ${value}: ${message}`);
        assert(message.includes(JSON.stringify(value)), `${name} ${value}: ${message}`);
      }
    }
  }
  for (const name of ["--frequency", "--stop-within"]) assertMatch(complaint(...PLACES, name, "0"), new RegExp(name));
});

Deno.test("parseOptions() names an option with an invalid choice, and the valid choices", () => {
  assertMatch(complaint(...PLACES, "--log-level", "loud"), /--log-level .*debug, info, warn, error.*"loud"/);
  assertMatch(complaint(...PLACES, "--log-format", "xml"), /--log-format .*text, json.*"xml"/);
});

Deno.test("parseOptions() names a missing option", () => {
  assertMatch(complaint(), /--config is missing/);
  assertMatch(complaint("--messages", "m"), /--config is missing/);
  assertMatch(complaint("--config", "c"), /--messages is missing/);
  assertMatch(complaint("--config=", "--messages", "m"), /--config needs a value/);
  assertMatch(complaint("--config", "c", "--messages", ""), /--messages needs a value/);
});

Deno.test("parseOptions() names an option without a value", () => {
  for (const { names } of VALUED) {
    for (const name of names) assertMatch(complaint(...PLACES, name), new RegExp(`^${name} needs a value`));
  }
  for (const name of ["--pid", "--log-file"]) {
    assertMatch(complaint(...PLACES, name, ""), new RegExp(`^${name} needs a value`));
  }
});

Deno.test("parseOptions() names an unknown option", () => {
  assertMatch(complaint(...PLACES, "--colour"), /^unknown option --colour/);
  assertMatch(complaint(...PLACES, "--colour=red"), /^unknown option --colour/);
  assertMatch(complaint(...PLACES, "-x"), /^unknown option -x/);
  assertMatch(complaint(...PLACES, "start"), /^unexpected argument "start"/);
  assertMatch(complaint(...PLACES, "--", "--pid"), /^unexpected argument "--pid"/);
  assertMatch(complaint(...PLACES, "--help=yes"), /^--help takes no value/);
});

Deno.test("parseOptions() reads --nofile, and names it if its value is invalid", () => {
  assertEquals(parse(...PLACES, "--nofile", "1024").nofile, 1024);
  for (const value of ["", "0", "-1", "1.5", "10K", "100000001"]) {
    const reason = `--nofile must be a whole number from 1 to 100000000: got ${JSON.stringify(value)}`;
    assertEquals(complaint(...PLACES, `--nofile=${value}`), reason);
  }
});

Deno.test("parseOptions() requires no other option with --help or --version", () => {
  for (const [argv, flag] of [[["--help"], "help"], [["-h"], "help"], [["--version"], "version"]] as const) {
    const { options, flags } = parseOptions(argv);
    assertEquals([options, [...flags]], [null, [flag]]);
  }
  assertEquals(parseOptions([...PLACES, "--help"]).options, null);
  assertThrows(() => parseOptions(["--help", "--colour"]), UsageError);
});

Deno.test("HELP names every option, its value and its default", () => {
  const valued = VALUED.flatMap(({ names }) => names).filter((name) => name !== "--freq");
  const trust = ["--allow-insecure", "--trust-read-only-mount"];
  const logs = [
    "--logs",
    "--log-size",
    "--log-keep",
    "--log-time",
    "--log-level",
    "--log-format",
    "--log-file",
    "--raw",
  ];
  const all = [...valued, ...trust, ...logs, "--colony", "--no-logs", "--nofile", "--help", "--version"];
  for (const name of [...all, "-h"]) {
    assertMatch(HELP, new RegExp(`(^|[ ,])${name}[, \\n]`, "m"));
  }
  for (const { key } of NUMBERS.filter(({ key }) => key in DEFAULTS)) {
    const value = DEFAULTS[key as keyof typeof DEFAULTS];
    assertMatch(HELP, new RegExp(`--${key} SECONDS .*\\[${value}\\]$`, "m"));
  }
  // Everything in it that looks like an option is one.
  for (const [name] of HELP.matchAll(/--[a-z-]+/g)) assert(all.includes(name), name);
});

Deno.test("HELP fits on a screen", () => {
  const lines = HELP.split("\n");
  assertLessOrEqual(lines.length, 40);
  for (const line of lines) assertLessOrEqual(line.length, 120, line);
  assert(!HELP.endsWith("\n"));
});
