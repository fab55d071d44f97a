import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "@ncolony/core";
import { type Add, type Command, parseOptions } from "@ncolony/ctl";

const PLACES = ["--messages", "m", "--config", "c"];

function command(...words: string[]): Command {
  return parseOptions([...PLACES, ...words]).request!.command;
}

/** Parses `add` of a process `web` that runs `run`, with more words. */
function add(...words: string[]): Add {
  const parsed = command("add", "web", "--cmd", "run", ...words);
  if (parsed.type !== "add") throw new Error("not an add");
  return parsed;
}

const ARGS: readonly (readonly [words: readonly string[], args: readonly string[]])[] = [
  [["--arg", "100"], ["100"]],
  [["--arg", "0x10", "--arg", "1e3", "--arg", "007"], ["0x10", "1e3", "007"]],
  [["--arg", "true", "--arg=false", "--arg", "null"], ["true", "false", "null"]],
  [["--arg="], [""]],
  [["--arg", ""], [""]],
  [["--arg", "--config=x"], ["--config=x"]],
  [["--arg", "--help"], ["--help"]],
  [["--arg", "--arg", "--arg=--arg"], ["--arg", "--arg"]],
  [["--arg", "--"], ["--"]],
  [["--arg", "-"], ["-"]],
  [["--arg==a=b"], ["=a=b"]],
  [["--arg", "two\nlines"], ["two\nlines"]],
  [["--arg=two\nlines"], ["two\nlines"]],
  [["--arg", "__proto__"], ["__proto__"]],
];

for (const [words, args] of ARGS) {
  Deno.test(`parseOptions() reads ${JSON.stringify(words.join(" "))} as exactly these strings`, () => {
    assertEquals(add(...words), { type: "add", name: "web", cmd: "run", args });
  });
}

Deno.test("parseOptions() splits a variable at its first equals sign", () => {
  const { env } = add("--env", "A=b=c", "--env=B=", "--env", "A B==", "--env", "N=5");
  assertEquals(env, { A: "b=c", B: "", "A B": "=", N: "5" });
});

Deno.test("parseOptions() uses the last of two equal variables, and keeps inherited names in order", () => {
  assertEquals(add("--env", "A=1", "--env", "A=2").env, { A: "2" });
  assertEquals(add("--env-inherit", "B", "--env-inherit=A").envInherit, ["B", "A"]);
});

Deno.test("parseOptions() treats a variable named __proto__ like any other", () => {
  const { env } = add("--env", "__proto__=x");
  assertEquals(Object.entries(env!), [["__proto__", "x"]]);
});

Deno.test("parseOptions() rejects a variable without a name or a value, and does not show it", () => {
  for (const text of ["hunter2", "=hunter2", ""]) {
    const error = assertThrows(() => add("--env", text), UsageError, "--env must be NAME=VALUE");
    assertEquals(error.message.includes("hunter2"), false);
  }
});

Deno.test("parseOptions() accepts only ids from 0 to the kernel's maximum", () => {
  assertEquals([add("--uid", "0").uid, add("--gid=4294967294").gid], [0, 4294967294]);
  for (const text of ["-1", "1.5", "1e3", "0x10", "root", "", " 1", "4294967295", "99999999999999999999"]) {
    assertThrows(() => add("--uid", text), UsageError, "--uid must be an integer from 0 to 4294967294");
    assertThrows(() => add(`--gid=${text}`), UsageError, "--gid must be an integer from 0 to 4294967294");
  }
});

Deno.test("parseOptions() accepts the name as a word or as --name, before or after the command", () => {
  const expected: Command = { type: "restart", names: ["web"] };
  assertEquals(command("restart", "web"), expected);
  assertEquals(command("restart", "--name", "web"), expected);
  assertEquals(command("--name=web", "restart"), expected);
  assertEquals(parseOptions(["restart", "web", ...PLACES]).request?.command, expected);
  assertEquals(parseOptions(["ctl", ...PLACES, "restart", "web"]).request?.command, expected);
  assertEquals(command("restart", "--", "--web"), { type: "restart", names: ["--web"] });
  assertEquals(command("remove", "100"), { type: "remove", names: ["100"] });
});

const WRONG: readonly (readonly [words: readonly string[], complaint: string])[] = [
  [[], "command missing: see ncolony-ctl --help"],
  [["frob"], 'unknown command "frob": did you mean '],
  [["add"], "add needs a NAME"],
  [["add", "web"], "--cmd is missing"],
  [["add", "web", "--cmd="], "--cmd is missing"],
  [["add", "web", "--cmd"], "--cmd needs a value: CMD"],
  [["add", "web", "db", "--cmd", "run"], 'unexpected argument "db"'],
  [["add", "web", "--name", "db", "--cmd", "run"], 'unexpected argument "web"'],
  [["add", "web", "--cmd", "run", "--args", "x"], "unknown option --args"],
  [["add", "web", "--cmd", "run", "-x"], "unknown option -x"],
  [["remove"], "remove needs a NAME"],
  [["restart"], "restart needs a NAME"],
  [["patch", "web"], "patch needs a NAME and a JSON object"],
  [["patch", "web", "{}", "db"], 'unexpected argument "db"'],
  [["restart", "web", "--cmd", "run"], "--cmd can only be used with add"],
  [["restart-all", "web"], 'unexpected argument "web"'],
  [["restart-group"], "restart-group needs a GROUP"],
  [["restart-group", "eu", "us"], 'unexpected argument "us"'],
];

for (const [words, complaint] of WRONG) {
  Deno.test(`parseOptions() rejects ${JSON.stringify(words.join(" "))}: ${complaint}`, () => {
    assertThrows(() => command(...words), UsageError, complaint);
  });
}

Deno.test("parseOptions() rejects a command line without one of the directories, and names the option", () => {
  assertThrows(() => parseOptions(["--messages", "m", "restart-all"]), UsageError, "--config is missing");
  assertThrows(() => parseOptions(["--config", "c", "restart-all"]), UsageError, "--messages is missing");
  assertThrows(
    () => parseOptions(["--config", "c", "--messages=", "restart-all"]),
    UsageError,
    "--messages needs a value",
  );
});

Deno.test("parseOptions() rejects one directory for both configs and messages", () => {
  for (const messages of ["c", "c/", "c//"]) {
    const words = ["--config", "c", "--messages", messages, "restart-all"];
    assertThrows(() => parseOptions(words), UsageError, "--config and --messages are the same directory");
  }
});

Deno.test("parseOptions() requires nothing else with --help or --version", () => {
  for (const [word, flag] of [["--help", "help"], ["-h", "help"], ["--version", "version"]] as const) {
    const { request, flags } = parseOptions([word]);
    assertEquals([request, [...flags]], [null, [flag]]);
  }
});
