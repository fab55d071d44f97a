import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "@ncolony/core";
import {
  COMMON_OPTIONS,
  lastValue,
  LOG_OPTIONS,
  type Option,
  optionsHelp,
  outputOptions,
  type ParsedArgs,
  parseWords,
  requiredValue,
  secondsValue,
} from "@ncolony/host";

const OPTIONS: readonly Option[] = [
  ...COMMON_OPTIONS,
  { name: "arg", value: "ARG", help: "an argument" },
  { name: "env-inherit", value: "NAME", help: "a variable" },
  { name: "frequency", aliases: ["freq"], value: "SECONDS", help: "how often" },
  { name: "threshold", short: "t", value: "SECONDS", help: "how long" },
  { name: "maxrestartdelay", short: "M", value: "SECONDS", help: "how long at most" },
  ...LOG_OPTIONS,
];

function parse(...argv: string[]): ParsedArgs {
  return parseWords(argv, OPTIONS);
}

function valuesOf(name: string, ...argv: string[]): readonly string[] {
  return parse(...argv).values.get(name) ?? [];
}

function assertUsageError(message: string, fn: () => unknown): void {
  assertThrows(fn, UsageError, message);
}

Deno.test("parseWords() takes the next word as a value, whatever it begins with", () => {
  assertEquals(valuesOf("arg", "--arg", "--config=/etc/x"), ["--config=/etc/x"]);
  const odd = ["--help", "-t", "--", "-", "", "=", "==", "--arg", "-1", "a b", "two\nlines", "é", "--no-arg"];
  for (const value of odd) {
    assertEquals(valuesOf("arg", "--arg", value), [value]);
    assertEquals(valuesOf("arg", `--arg=${value}`), [value]);
  }
});

Deno.test("parseWords() keeps all values of an option in order, separate from other options", () => {
  const words = parse("--arg", "1", "--env-inherit=A", "--arg=2", "--arg", "1", "--env-inherit", "B");
  assertEquals(words.values.get("arg"), ["1", "2", "1"]);
  assertEquals(words.values.get("env-inherit"), ["A", "B"]);
  assertEquals(words.values.get("threshold"), []);
  assertEquals(lastValue(words, "arg"), "1");
  assertEquals(lastValue(words, "threshold"), undefined);
});

Deno.test("parseWords() takes the value of a short option joined or separate", () => {
  assertEquals(valuesOf("threshold", "-t5"), ["5"]);
  assertEquals(valuesOf("threshold", "-t", "5"), ["5"]);
  assertEquals(valuesOf("threshold", "-t", "-5"), ["-5"]);
  assertEquals(valuesOf("threshold", "-t-5"), ["-5"]);
  assertEquals(valuesOf("maxrestartdelay", "-M", "1", "-t", "2"), ["1"]);
  assertUsageError("unknown option -m", () => parse("-m", "1"));
});

Deno.test("parseWords() recognizes an option by its aliases", () => {
  assertEquals(valuesOf("frequency", "--freq", "1", "--frequency=2", "--freq=3"), ["1", "2", "3"]);
});

Deno.test("parseWords() recognizes flags by long and short names", () => {
  assertEquals(parse("--help").flags, new Set(["help"]));
  assertEquals(parse("-h", "--version", "-h").flags, new Set(["help", "version"]));
  assertEquals(parse("help").flags, new Set());
});

Deno.test("parseWords() returns everything else, and everything after --, as words", () => {
  assertEquals(parse("add", "web", "-", "5", "0x10", "").words, ["add", "web", "-", "5", "0x10", ""]);
  assertEquals(parse("a", "--", "--arg", "-t", "--", "--nonsense", "7").words, [
    "a",
    "--arg",
    "-t",
    "--",
    "--nonsense",
    "7",
  ]);
  const words = parse("add", "--arg", "1", "web", "--help");
  assertEquals([words.words, [...words.flags]], [["add", "web"], ["help"]]);
});

Deno.test("parseWords() rejects unknown options by name", () => {
  for (const word of ["--nonsense", "--Arg", "--ar", "--no-help", "-x", "---arg", "--__proto__"]) {
    assertUsageError(`unknown option ${word}`, () => parse(word));
  }
  for (const word of ["-5", "--=", "-=x", "-é"]) assertUsageError(`unknown option ${word}`, () => parse(word));
  assertUsageError("unknown option --nonsense", () => parse("--nonsense=--arg"));
  assertUsageError("unknown option -x", () => parse("-xt5"));
});

Deno.test("parseWords() rejects options with a missing or superfluous value", () => {
  assertUsageError("--arg needs a value: ARG", () => parse("--arg"));
  assertUsageError("--freq needs a value: SECONDS", () => parse("--arg", "1", "--freq"));
  assertUsageError("-t needs a value: SECONDS", () => parse("-t"));
  assertUsageError("--help takes no value", () => parse("--help=yes"));
  assertUsageError("--help takes no value", () => parse("--help="));
  assertUsageError("-h takes no value", () => parse("-hx"));
});

Deno.test("requiredValue() rejects a missing or empty value", () => {
  assertEquals(requiredValue(parse("--arg", "", "--arg", "x"), "arg"), "x");
  assertUsageError("--arg is missing", () => requiredValue(parse(), "arg"));
  assertUsageError("--arg is missing", () => requiredValue(parse("--arg="), "arg"));
});

Deno.test("secondsValue() takes seconds with fractions and exponents", () => {
  const numbers = {
    "0": 0,
    "10": 10,
    "0.25": 0.25,
    ".5": 0.5,
    "1e3": 1000,
    "1E-2": 0.01,
    "1e9": 1e9,
    " 7 ": 7,
    "+3": 3,
  };
  for (const [text, seconds] of Object.entries(numbers)) {
    assertEquals(secondsValue(parse("--freq", text), "frequency", 10), seconds);
  }
  assertEquals(secondsValue(parse("-t5", "-t", "6"), "threshold", 1), 6);
  assertEquals(secondsValue(parse(), "threshold", 1), 1);
});

Deno.test("secondsValue() rejects by name what is not a number from its minimum to 1e9", () => {
  const bad = [
    "",
    " ",
    "x",
    "5s",
    "1,5",
    "-1",
    "-0.1",
    "NaN",
    "Infinity",
    "1e10",
    "1000000001",
    "1e400",
    "1_0",
    "--freq",
  ];
  for (const text of bad) {
    assertUsageError("--frequency must be a number of seconds from 0 to 1000000000: got ", () => {
      return secondsValue(parse("--freq", text), "frequency", 10);
    });
  }
  assertUsageError("from 0.01 to", () => secondsValue(parse("--freq", "0"), "frequency", 10, 0.01));
});

Deno.test("secondsValue() takes a hexadecimal number in either case", () => {
  const seconds = ["0x10", "0X10"].map((text) => secondsValue(parse("--freq", text), "frequency", 10));
  assertEquals(seconds, [16, 16]);
});

Deno.test("outputOptions() has defaults, and takes the last value of each option", () => {
  assertEquals(outputOptions(parse()), { level: "info", format: "text" });
  const argv = ["--log-level", "debug", "--log-format=json", "--log-file", "/a", "--log-file", "/b"];
  assertEquals(outputOptions(parse(...argv)), { level: "debug", format: "json", file: "/b" });
});

Deno.test("outputOptions() rejects invalid levels, formats and files", () => {
  assertUsageError('--log-level must be one of debug, info, warn, error: got "loud"', () => {
    return outputOptions(parse("--log-level", "loud"));
  });
  assertUsageError('--log-format must be one of text, json: got ""', () => outputOptions(parse("--log-format=")));
  assertUsageError("--log-file needs a value", () => outputOptions(parse("--log-file=")));
});

Deno.test("optionsHelp() has a line for each option that fits a terminal", () => {
  const lines = optionsHelp(OPTIONS).split("\n");
  assertEquals(lines.length, OPTIONS.length);
  OPTIONS.forEach(({ name, short, value = "", help }, i) => {
    for (const part of [`--${name} ${value}`, short === undefined ? "" : `-${short}, `, help]) {
      assert(lines[i].includes(part), `${lines[i]} says ${part}`);
    }
    assert(lines[i].length <= 80, lines[i]);
  });
});
