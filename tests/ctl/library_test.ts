import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MAX_CONFIG_BYTES, SpecError, UsageError } from "@ncolony/core";
import { add, type AddOptions, call, type JsonObject, parseOptions, type Places, remove } from "@ncolony/ctl";
import { restart, restartAll, restartGroup } from "@ncolony/ctl";
import { join } from "@std/path";
import { namesIn, ROOT, run } from "../cli/tools.ts";
import { type TempDir, tempDir } from "../helpers.ts";

interface Ground extends Places, Disposable {
  readonly dir: TempDir;
}

/** Creates the two directories of a colony that no monitor runs. */
function ground(): Ground {
  const dir = tempDir();
  return {
    dir,
    config: dir.dir("config"),
    messages: dir.dir("messages"),
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  };
}

function content(directory: string, name: string): unknown {
  return JSON.parse(Deno.readTextFileSync(join(directory, name)));
}

/** Returns the messages in the order of their names. */
function messagesIn(places: Places): unknown[] {
  return namesIn(places.messages).map((name) => content(places.messages, name));
}

function assertUntouched(places: Places): void {
  assertEquals([namesIn(places.config), namesIn(places.messages)], [[], []]);
}

/** Runs `add web` from a command line. */
async function addByWords(places: Places, ...words: string[]): Promise<void> {
  const argv = ["--config", places.config, "--messages", places.messages, "add", "web", "--cmd", "cat", ...words];
  assertEquals(await call(parseOptions(argv)), 0);
}

Deno.test("add() writes the given options and no others", () => {
  using places = ground();
  add(places, "plain", "cat", []);
  add(places, "full", "run", ["-x"], {
    env: { A: "1" },
    envInherit: ["HOME"],
    uid: 0,
    gid: 5,
    extras: { group: ["eu"], "ncolony.beatcheck": { period: 10, grace: 1, status: "/s" } },
  });
  assertEquals(namesIn(places.config), ["full", "plain"]);
  assertEquals(content(places.config, "plain"), { args: ["cat"] });
  assertEquals(content(places.config, "full"), {
    args: ["run", "-x"],
    env: { A: "1" },
    env_inherit: ["HOME"],
    uid: 0,
    gid: 5,
    group: ["eu"],
    "ncolony.beatcheck": { period: 10, grace: 1, status: "/s" },
  });
});

Deno.test("add() replaces a config, and keeps the permission bits of the file", () => {
  using places = ground();
  add(places, "web", "cat", []);
  Deno.chmodSync(join(places.config, "web"), 0o600);
  add(places, "web", "dog", []);
  assertEquals(content(places.config, "web"), { args: ["dog"] });
  assertEquals(Deno.statSync(join(places.config, "web")).mode! & 0o777, 0o600);
});

const REFUSED = ["", ".", "..", ".x", "x.new", "a/b", "../x", "/etc/x", "a\nb", "a\0b", "\x1b[1m", "a\u0085", "\ud800"];

Deno.test("add(), remove() and restart() reject an invalid name of a process, and write nothing", async () => {
  using places = ground();
  for (const name of REFUSED) {
    assertThrows(() => add(places, name, "cat", []), SpecError, "a name must ");
    assertThrows(() => remove(places, name), RangeError, "a name must ");
    assertThrows(() => restart(places, name), RangeError, "a name must ");
    for (const words of [["add", "--cmd", "cat"], ["remove"], ["restart"]]) {
      const argv = ["--config", places.config, "--messages", places.messages, ...words, `--name=${name}`];
      await assertRejects(() => call(parseOptions(argv)), UsageError, "a name must ");
    }
  }
  assertUntouched(places);
  assertEquals(namesIn(places.dir.path), ["config", "messages"]);
});

const BAD: readonly (readonly [options: unknown, field: string])[] = [
  [{ env: { A: 5 } }, "env.A"],
  [{ env: { "A=B": "x" } }, "env"],
  [{ env: { A: "\0" } }, "env.A"],
  [{ envInherit: [""] }, "env_inherit"],
  [{ uid: -1 }, "uid"],
  [{ uid: 1.5 }, "uid"],
  [{ gid: 2 ** 32 }, "gid"],
  [{ extras: { args: [] } }, "args"],
  [{ extras: { group: "eu" } }, "group"],
  [{ extras: { "ncolony.monitor": { stop_signal: "SIGSTOP" } } }, "ncolony.monitor.stop_signal"],
];

Deno.test("add() writes nothing that the monitor would reject", () => {
  using places = ground();
  for (const [options, field] of BAD) {
    const error = assertThrows(() => add(places, "web", "cat", [], options as AddOptions), SpecError);
    assertEquals(error.field, field);
  }
  assertThrows(() => add(places, "web", "", []), SpecError);
  assertThrows(() => add(places, "web", "cat", ["x".repeat(MAX_CONFIG_BYTES)]), SpecError, "at most");
  assertUntouched(places);
});

Deno.test("remove() removes a config, and throws if there is none", () => {
  using places = ground();
  add(places, "web", "cat", []);
  remove(places, "web");
  assertUntouched(places);
  assertThrows(() => remove(places, "web"), Deno.errors.NotFound, "web");
});

Deno.test("restart(), restartAll() and restartGroup() send messages in the order of their calls", () => {
  using places = ground();
  const sent: unknown[] = [];
  for (let round = 0; round < 30; round++) {
    restart(places, `web-${round}`);
    restartGroup(places, `group ${round}`);
    restartAll(places);
    sent.push({ type: "RESTART", name: `web-${round}` }, { type: "RESTART-GROUP", group: `group ${round}` });
    sent.push({ type: "RESTART-ALL" });
  }
  assertEquals(messagesIn(places), sent);
});

Deno.test("restart() keeps the messages of two rapid senders apart, and those of each in order", async () => {
  using places = ground();
  const script = places.dir.write(
    "send.ts",
    `import { restart } from ${JSON.stringify(`file://${join(ROOT, "ctl/mod.ts")}`)};
    const places = { config: ${JSON.stringify(places.config)}, messages: ${JSON.stringify(places.messages)} };
    for (let count = 0; count < 100; count++) restart(places, Deno.args[0] + "-" + count);`,
  );
  const permissions = [`--allow-read=${places.messages}`, `--allow-write=${places.messages}`];
  const deno = [Deno.execPath(), "run", "--frozen", "--config", join(ROOT, "deno.json"), ...permissions, script];
  const results = await Promise.all(["a", "b"].map((sender) => run([...deno, sender])));
  assertEquals(results.map(({ code, stderr }) => [code, stderr]), [[0, ""], [0, ""]]);
  const names = messagesIn(places).map((message) => (message as { name: string }).name);
  for (const sender of ["a", "b"]) {
    const expected = Array.from({ length: 100 }, (_, count) => `${sender}-${count}`);
    assertEquals(names.filter((name) => name.startsWith(sender)), expected);
  }
  assertEquals(names.length, 200);
});

Deno.test("add() and restartAll() leave nothing behind if a file cannot be put in place", () => {
  using places = ground();
  Deno.mkdirSync(join(places.config, "web"));
  assertThrows(() => add(places, "web", "cat", []), Error, "web");
  assertThrows(() => add(places, "x".repeat(256), "cat", []), Error);
  assertEquals(namesIn(places.config), ["web"]);
  assertThrows(() => add({ ...places, config: places.dir.file("none") }, "web", "cat", []), Deno.errors.NotFound);
  assertThrows(() => restartAll({ ...places, messages: places.dir.file("none") }), Deno.errors.NotFound);
});

Deno.test("add() does not write through a symbolic link under the name of a config", () => {
  using places = ground();
  const victim = places.dir.write("victim", "precious");
  Deno.symlinkSync(victim, join(places.config, "web"));
  add(places, "web", "cat", []);
  assertEquals(Deno.readTextFileSync(victim), "precious");
  assertEquals(content(places.config, "web"), { args: ["cat"] });
});

Deno.test("call() accepts extras as JSON or as a JSON file, and lets them replace other options", async () => {
  using places = ground();
  const extras: JsonObject = { env: { B: "2" }, "ncolony.beatcheck": { period: 1 } };
  const expected = { args: ["cat"], uid: 5, ...extras };
  const file = places.dir.write("extras", ` \n${JSON.stringify(extras)}`);
  for (const text of [JSON.stringify(extras), `\n ${JSON.stringify(extras)}`, file]) {
    await addByWords(places, "--env", "A=1", "--uid", "5", "--extras", text);
    assertEquals(content(places.config, "web"), expected);
  }
});

Deno.test("call() rejects extras that are not a JSON object, and names the place of the fault without showing them", async () => {
  using places = ground();
  const bad: readonly (readonly [text: string, complaint: string])[] = [
    ['{"token": hunter2}', '--extras: invalid JSON at line 1, column 11: a string needs " around it'],
    ['{"token": "hunter2"', "--extras: invalid JSON at line 1, column 20: a } is missing at the end"],
    ['["hunter2"]', "--extras: must be a JSON object: got an array"],
    [places.dir.write("list", '["hunter2"]'), "must be a JSON object: got an array"],
    [places.dir.write("text", '"hunter2"'), "must be a JSON object: got a string"],
    [places.dir.write("empty", ""), "invalid JSON at line 1, column 1: the file is empty"],
    [places.dir.write("large", `{"a": "${"hunter2".repeat(30_000)}"}`), `must be at most ${MAX_CONFIG_BYTES} bytes`],
  ];
  for (const [text, complaint] of bad) {
    const error = await assertRejects(() => addByWords(places, "--extras", text), UsageError, complaint);
    assertEquals(error.message.includes("hunter2"), false);
  }
  const none = places.dir.file("none");
  await assertRejects(
    () => addByWords(places, "--extras", none),
    Deno.errors.NotFound,
    `--extras "${none}": no such file or directory`,
  );
  await assertRejects(() => addByWords(places, "--extras", '{"uid": "root"}'), UsageError, '"uid" must be a number');
  assertUntouched(places);
});

Deno.test("call() passes on a key named __proto__ like any other", async () => {
  using places = ground();
  await addByWords(places, "--extras", '{"__proto__": {"uid": 5}, "constructor": null}');
  const text = Deno.readTextFileSync(join(places.config, "web"));
  assertEquals(text, '{"args":["cat"],"__proto__":{"uid":5},"constructor":null}');
  assertEquals(({} as JsonObject).uid, undefined);
});
