import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { UsageError } from "@ncolony/core";
import { call, parseOptions } from "@ncolony/ctl";
import { join } from "@std/path";
import { namesIn } from "../cli/tools.ts";
import { tempDir } from "../helpers.ts";

const PLACES = ["--messages", "m", "--config", "c"];

/** Runs a command line, and returns what it left in each of the two directories, by the names of the files. */
async function left(...words: string[]): Promise<{ config: Record<string, string>; messages: unknown[] }> {
  using dir = tempDir();
  const [config, messages] = [dir.dir("config"), dir.dir("messages")];
  const contents = (path: string) => namesIn(path).map((name) => [name, Deno.readTextFileSync(join(path, name))]);
  await call(parseOptions([...words.slice(0, 1), "--config", config, "--messages", messages, ...words.slice(1)]));
  return {
    config: Object.fromEntries(contents(config)),
    messages: contents(messages).map(([, text]) => JSON.parse(text!)),
  };
}

/** Adds a process `web` that runs `run`, with more words. Returns the text of its config. */
async function addedText(...words: string[]): Promise<string> {
  return (await left("add", "web", "--cmd", "run", ...words)).config.web!;
}

/** Does the same, and returns its config. */
async function added(...words: string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await addedText(...words));
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
  Deno.test(`ctl add reads ${JSON.stringify(words.join(" "))} as exactly these strings`, async () => {
    assertEquals(await added(...words), { args: ["run", ...args] });
  });
}

Deno.test("ctl add splits a variable at its first equals sign", async () => {
  const { env } = await added("--env", "A=b=c", "--env=B=", "--env", "A B=c", "--env", "N=5");
  assertEquals(env, { A: "b=c", B: "", "A B": "c", N: "5" });
});

Deno.test("ctl add uses the last of two equal variables, and keeps inherited names in order", async () => {
  assertEquals((await added("--env", "A=1", "--env", "A=2")).env, { A: "2" });
  assertEquals((await added("--env-inherit", "B", "--env-inherit=A")).env_inherit, ["B", "A"]);
});

Deno.test("ctl add treats a variable named __proto__ like any other", async () => {
  assertEquals(await addedText("--env", "__proto__=x"), '{"args":["run"],"env":{"__proto__":"x"}}');
});

Deno.test("ctl add rejects a variable without a name or a value, and does not show it", async () => {
  for (const text of ["hunter2", "=hunter2", ""]) {
    const error = await assertRejects(() => added("--env", text), UsageError, "--env must be NAME=VALUE");
    assertEquals(error.message.includes("hunter2"), false);
  }
});

Deno.test("ctl add accepts only ids from 0 to the kernel's maximum", async () => {
  assertEquals([(await added("--uid", "0")).uid, (await added("--gid=4294967294")).gid], [0, 4294967294]);
  for (const text of ["-1", "1.5", "1e3", "0x10", "root", "", " 1", "4294967295", "99999999999999999999"]) {
    await assertRejects(() => added("--uid", text), UsageError, "--uid must be an integer from 0 to 4294967294");
    await assertRejects(() => added(`--gid=${text}`), UsageError, "--gid must be an integer from 0 to 4294967294");
  }
});

Deno.test("ctl accepts the name as a word or as --name, before or after the command, and a first word ctl", async () => {
  for (
    const words of [
      ["restart", "web"],
      ["restart", "--name", "web"],
      ["--name=web", "restart"],
      ["ctl", "restart", "web"],
      ["restart", "--", "web"],
    ]
  ) {
    const { messages } = await left(words[0]!, "--force", ...words.slice(1));
    assertEquals(messages, [{ type: "RESTART", name: "web", from: "ctl" }]);
  }
  const names = ["--web", "100"];
  const { messages } = await left("restart", "--force", "--", ...names);
  assertEquals(messages, names.map((name) => ({ type: "RESTART", name, from: "ctl" })));
});

const WRONG: readonly (readonly [words: readonly string[], complaint: string])[] = [
  [[], "command missing"],
  [["frob"], 'unknown command "frob"'],
  [["strat"], 'unknown command "strat": did you mean start?'],
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
  [["restart-all", "--name", "web"], 'unexpected argument "web"'],
  [["why"], "why needs a NAME"],
];

for (const [words, complaint] of WRONG) {
  Deno.test(`ctl rejects ${JSON.stringify(words.join(" "))}: ${complaint}`, async () => {
    await assertRejects(async () => await call(parseOptions([...PLACES, ...words])), UsageError, complaint);
  });
}

Deno.test("ctl rejects a command line without one of the directories, and names the option", async () => {
  for (
    const [words, complaint] of [
      [["--messages", "m", "restart-all"], "--config is missing"],
      [["--config", "c", "restart-all"], "--messages is missing"],
      [["--config", "c", "--messages=", "restart-all"], "--messages needs a value"],
    ] as const
  ) await assertRejects(async () => await call(parseOptions(words)), UsageError, complaint);
});

Deno.test("ctl rejects one directory for both configs and messages", async () => {
  for (const messages of ["c", "c/", "c//"]) {
    const words = ["--config", "c", "--messages", messages, "restart-all"];
    const complaint = "--config and --messages are the same directory";
    await assertRejects(async () => await call(parseOptions(words)), UsageError, complaint);
  }
});

Deno.test("parseOptions() requires nothing else with --help or --version", () => {
  for (const [word, flag] of [["--help", "help"], ["-h", "help"], ["--version", "version"]] as const) {
    assertEquals([...parseOptions([word]).flags], [flag]);
  }
  assertThrows(() => parseOptions([]), UsageError, "command missing");
});
