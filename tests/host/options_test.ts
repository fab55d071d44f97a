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

Deno.test("parseWords() takes the next word for a value, whatever it begins with", () => {
  assertEquals(valuesOf("arg", "--arg", "--config=/etc/x"), ["--config=/etc/x"]);
  const odd = ["--help", "-t", "--", "-", "", "=", "==", "--arg", "-1", "a b", "two\nlines", "é", "--no-arg"];
  for (const value of odd) {
    assertEquals(valuesOf("arg", "--arg", value), [value]);
    assertEquals(valuesOf("arg", `--arg=${value}`), [value]);
  }
});

Deno.test("parseWords() keeps all values of an option in order, apart from those of others", () => {
  const words = parse("--arg", "1", "--env-inherit=A", "--arg=2", "--arg", "1", "--env-inherit", "B");
  assertEquals(words.values.get("arg"), ["1", "2", "1"]);
  assertEquals(words.values.get("env-inherit"), ["A", "B"]);
  assertEquals(words.values.get("threshold"), []);
  assertEquals(lastValue(words, "arg"), "1");
  assertEquals(lastValue(words, "threshold"), undefined);
});

Deno.test("parseWords() takes the value of a short option joined or apart", () => {
  assertEquals(valuesOf("threshold", "-t5"), ["5"]);
  assertEquals(valuesOf("threshold", "-t", "5"), ["5"]);
  assertEquals(valuesOf("threshold", "-t", "-5"), ["-5"]);
  assertEquals(valuesOf("threshold", "-t-5"), ["-5"]);
  assertEquals(valuesOf("maxrestartdelay", "-M", "1", "-t", "2"), ["1"]);
  assertUsageError("-m is no option", () => parse("-m", "1"));
});

Deno.test("parseWords() knows an option by its other names", () => {
  assertEquals(valuesOf("frequency", "--freq", "1", "--frequency=2", "--freq=3"), ["1", "2", "3"]);
});

Deno.test("parseWords() knows flags by long and short names", () => {
  assertEquals(parse("--help").flags, new Set(["help"]));
  assertEquals(parse("-h", "--version", "-h").flags, new Set(["help", "version"]));
  assertEquals(parse("help").flags, new Set());
});

Deno.test("parseWords() gives everything else, and all that follows --, as words", () => {
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

Deno.test("parseWords() refuses options that it does not know, by name", () => {
  for (const word of ["--nonsense", "--Arg", "--ar", "--no-help", "-x", "---arg", "--__proto__"]) {
    assertUsageError(`${word} is no option`, () => parse(word));
  }
  for (const word of ["-5", "--=", "-=x", "-é"]) assertUsageError(`${word} is no option`, () => parse(word));
  assertUsageError("--nonsense is no option", () => parse("--nonsense=--arg"));
  assertUsageError("-x is no option", () => parse("-xt5"));
});

Deno.test("parseWords() refuses options that lack a value, or have one too many", () => {
  assertUsageError("--arg needs a value: ARG", () => parse("--arg"));
  assertUsageError("--freq needs a value: SECONDS", () => parse("--arg", "1", "--freq"));
  assertUsageError("-t needs a value: SECONDS", () => parse("-t"));
  assertUsageError("--help takes no value", () => parse("--help=yes"));
  assertUsageError("--help takes no value", () => parse("--help="));
  assertUsageError("-h takes no value", () => parse("-hx"));
});

Deno.test("requiredValue() refuses what is missing or empty", () => {
  assertEquals(requiredValue(parse("--arg", "", "--arg", "x"), "arg"), "x");
  assertUsageError("--arg is missing", () => requiredValue(parse(), "arg"));
  assertUsageError("--arg is missing", () => requiredValue(parse("--arg="), "arg"));
});

Deno.test("secondsValue() takes numbers of seconds, with fractions and exponents", () => {
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

Deno.test("secondsValue() refuses what is no number, or none from its least to 1e9, by name", () => {
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

Deno.test("secondsValue() takes a hexadecimal number as the same in whichever case", () => {
  const seconds = ["0x10", "0X10"].map((text) => secondsValue(parse("--freq", text), "frequency", 10));
  assertEquals(seconds, [16, 16]);
});

Deno.test("outputOptions() has defaults, and takes the last of each option", () => {
  assertEquals(outputOptions(parse()), { level: "info", format: "text" });
  const argv = ["--log-level", "debug", "--log-format=json", "--log-file", "/a", "--log-file", "/b"];
  assertEquals(outputOptions(parse(...argv)), { level: "debug", format: "json", file: "/b" });
});

Deno.test("outputOptions() refuses levels, forms and files that it cannot take", () => {
  assertUsageError('--log-level must be one of debug, info, warn, error: got "loud"', () => {
    return outputOptions(parse("--log-level", "loud"));
  });
  assertUsageError('--log-format must be one of text, json: got ""', () => outputOptions(parse("--log-format=")));
  assertUsageError("--log-file needs a value", () => outputOptions(parse("--log-file=")));
});

Deno.test("optionsHelp() has a line for each option, none too long for a terminal", () => {
  const lines = optionsHelp(OPTIONS).split("\n");
  assertEquals(lines.length, OPTIONS.length);
  OPTIONS.forEach(({ name, short, value = "", help }, i) => {
    for (const part of [`--${name} ${value}`, short === undefined ? "" : `-${short}, `, help]) {
      assert(lines[i].includes(part), `${lines[i]} says ${part}`);
    }
    assert(lines[i].length <= 80, lines[i]);
  });
});
