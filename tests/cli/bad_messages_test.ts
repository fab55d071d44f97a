import { assertEquals, assertLess } from "@std/assert";
import { join } from "@std/path";
import { Colony } from "./harness.ts";
import { hasCommand, IS_ROOT, namesIn, place, run } from "./tools.ts";

const CAT = { args: ["cat"] };
const RESTART_WEB = '{"type": "RESTART", "name": "web"}';

/** Is part of every invalid message and must never appear in the log. */
const SECRET = "hunter2";

/** Returns the names of the rejected files. */
function putAway(colony: Colony): string[] {
  return namesIn(join(colony.messages, ".rejected"));
}

/** Waits for the line that says why a message is invalid. */
async function said(colony: Colony, file: string, reason: string): Promise<void> {
  const line = ` WARN message ${JSON.stringify(file)} is invalid and was moved to .rejected: ${reason}`;
  await colony.until(line, () => colony.stderr.lines.some((it) => it.slice(24) === line));
}

const TYPE = '"type" must be RESTART, RESTART-ALL or RESTART-GROUP: got';

const WRONG: readonly (readonly [text: string, reason: string])[] = [
  [`{"type": "RESTART", "name": "${SECRET}"`, "invalid JSON at line 1, column 38: a } is missing at the end"],
  [SECRET, "invalid JSON at line 1, column 1: the first character must be {"],
  [`{"type": "RESTART-ALL"} ${SECRET}`, "invalid JSON at line 1, column 25: something follows the last }"],
  ["", "invalid JSON at line 1, column 1: the file is empty"],
  ["[]", "must be a JSON object: got an empty array"],
  [`["${SECRET}"]`, "must be a JSON object: got an array"],
  ["null", "must be a JSON object: got null"],
  [`"${SECRET}"`, "must be a JSON object: got a string"],
  ["[".repeat(60_000) + SECRET, 'invalid JSON at line 1, column 60001: a string needs " around it'],
  ["[".repeat(100_000) + SECRET, "must be at most 65536 bytes"],
  ["[".repeat(30_000) + "]".repeat(30_000), "must be a JSON object: got an array"],
  [`{"${SECRET}": "RESTART-ALL"}`, `${TYPE} nothing`],
  [`{"type": "${SECRET}"}`, `${TYPE} another string`],
  [`{"type": "RESTART-all", "name": "${SECRET}"}`, `${TYPE} another string`],
  [`{"type": 3, "name": "${SECRET}"}`, `${TYPE} a number`],
  [`{"type": ["${SECRET}"]}`, `${TYPE} an array`],
  [`{"type": "RESTART", "name": ["${SECRET}"]}`, '"name" must be a string: got an array'],
  ['{"type": "RESTART", "name": []}', '"name" must be a string: got an empty array'],
  [`{"type": "RESTART", "name": {"${SECRET}": 1}}`, '"name" must be a string: got an object'],
  ['{"type": "RESTART", "name": 1}', '"name" must be a string: got a number'],
  ['{"type": "RESTART", "name": true}', '"name" must be a string: got a boolean'],
  [`{"type": "RESTART", "name": null, "value": "${SECRET}"}`, '"name" must be a string: got null'],
  ['{"type": "RESTART-GROUP", "group": null}', '"group" must be a string: got null'],
  [`{"type": "RESTART-GROUP", "name": "${SECRET}"}`, '"group" must be a string: got nothing'],
  [
    `{"type":\0"RESTART-ALL", "${SECRET}": 1}`,
    "invalid JSON at line 1, column 9: a NUL character (is the file UTF-16? it must be UTF-8)",
  ],
  ['{"__proto__": {"type": "RESTART-ALL"}}', `${TYPE} nothing`],
  ['{"type": "RESTART", "__proto__": {"name": "web"}}', '"name" must be a string: got nothing'],
  [`\ufeff${RESTART_WEB}`, "begins with a byte order mark, which is not JSON"],
];

Deno.test("the monitor logs each invalid message once, quotes nothing, moves it to .rejected, and takes a valid one", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.1"], config: { web: CAT, db: CAT } });
  const db = await colony.started("db");
  await colony.started("web");
  const names = WRONG.slice(0, 10).map(([text]) => colony.send(text));
  const good = colony.send(RESTART_WEB);
  names.push(...WRONG.slice(10).map(([text]) => colony.send(text)));
  for (const [index, [, reason]] of WRONG.entries()) await said(colony, names[index]!, reason);
  await colony.until("none is left", () => namesIn(colony.messages).join() === ".rejected");
  await colony.started("web", 2);
  await colony.fence();
  assertEquals(colony.count(/is invalid/), WRONG.length);
  assertEquals(putAway(colony), names);
  for (const [index, [text]] of WRONG.entries()) {
    assertEquals(Deno.readTextFileSync(join(colony.messages, ".rejected", names[index]!)), text);
  }
  assertEquals(colony.count(new RegExp(SECRET)), 0);
  assertEquals([colony.pidsOf("web").length, colony.pidsOf("db")], [2, [db]]);
  const lineOf = (name: string) => colony.stderr.lines.findIndex((line) => line.includes(`message "${name}"`));
  assertLess(lineOf(good), lineOf(names.at(-1)!));
});

Deno.test("the monitor moves a message that is not UTF-8 or has 64 MiB to .rejected, and reads the others", async () => {
  await using colony = new Colony({ config: { web: CAT } });
  await colony.started("web");
  const latin1 = Uint8Array.from(`{"type": "RESTART-ALL", "${SECRET}": "\xe9"}`, (unit) => unit.charCodeAt(0));
  Deno.writeFileSync(join(colony.messages, "latin1"), latin1);
  const sparse = colony.dir.write("sparse", RESTART_WEB);
  Deno.truncateSync(sparse, 64 * 1024 * 1024);
  Deno.renameSync(sparse, join(colony.messages, "sparse"));
  await said(colony, "latin1", "not valid UTF-8");
  await said(colony, "sparse", "must be at most 65536 bytes");
  colony.send(RESTART_WEB);
  await colony.started("web", 2);
  await colony.until("none is left", () => namesIn(colony.messages).join() === ".rejected");
  assertEquals(putAway(colony), ["latin1", "sparse"]);
  assertEquals([colony.pidsOf("web").length, colony.count(new RegExp(SECRET))], [2, 0]);
});

const ODD = [
  '{"type": "STOP", "type": "RESTART", "name": "db", "name": "web"}',
  '{"type": "RESTART", "name": "web", "__proto__": {"name": "db"}, "value": "db", "constructor": 1}',
  `{"type": "RESTART", "name": "web", "x": ${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
  `\r\n\t {"type": "RESTART", "name": "\\u0077eb"}${" ".repeat(65_000)}`,
];

Deno.test("a message's last duplicate key counts, and its unknown keys do not", async () => {
  await using colony = new Colony({ config: { web: CAT, db: CAT } });
  const db = await colony.started("db");
  await colony.started("web");
  for (const [index, text] of ODD.entries()) {
    colony.send(text);
    await colony.started("web", index + 2);
  }
  await colony.fence();
  assertEquals([colony.pidsOf("web").length, colony.pidsOf("db")], [ODD.length + 1, [db]]);
  assertEquals(namesIn(colony.messages), []);
});

const STRANGERS = ["", ".", "..", "../x", "/etc/passwd", "a/b", "web\0", "web\n", "we\u001b[2J", "\ud800", "__proto__"];

Deno.test("the monitor logs a message for an impossible process name in one line and removes it", async () => {
  await using colony = new Colony({ config: { web: CAT } });
  const web = await colony.started("web");
  for (const name of STRANGERS) colony.send({ type: "RESTART", name });
  for (const name of STRANGERS) {
    const end = `: RESTART${name === "" ? "" : ` ${JSON.stringify(name)}`}: no such process is configured`;
    await colony.until(end, () => colony.stderr.lines.some((line) => line.endsWith(end)));
  }
  await colony.until("they are removed", () => namesIn(colony.messages).length === 0);
  assertEquals([colony.count(/no such process/), colony.pidsOf()], [STRANGERS.length, [web]]);
});

Deno.test("the monitor moves messages that are not regular files to .rejected unread, and ignores a directory", async () => {
  await using colony = new Colony({ args: ["--frequency", "0.2"], config: { web: CAT } });
  const web = await colony.started("web");
  const path = (name: string) => join(colony.messages, name);
  Deno.mkdirSync(path("directory"));
  Deno.writeTextFileSync(join(path("directory"), "message"), RESTART_WEB);
  const outside = colony.dir.write("outside", RESTART_WEB);
  Deno.symlinkSync(outside, path("link"));
  Deno.symlinkSync("/dev/zero", path("zero"));
  Deno.symlinkSync(colony.dir.file("nowhere"), path("nowhere"));
  Deno.symlinkSync("circle", path("circle"));
  assertEquals((await run(["mkfifo", path("pipe")])).code, 0);
  for (const name of ["link", "zero", "nowhere", "circle"]) await said(colony, name, "is a symbolic link");
  await said(colony, "pipe", "not a regular file");
  await colony.until("they are put away", () => namesIn(colony.messages).join() === ".rejected,directory");
  await colony.fence();
  assertEquals(putAway(colony), ["circle", "link", "nowhere", "pipe", "zero"]);
  assertEquals([colony.count(/is invalid/), colony.count(/directory/), colony.pidsOf("web")], [5, 0, [web]]);
  assertEquals(namesIn(path("directory")), ["message"]);
  assertEquals(Deno.readTextFileSync(outside), RESTART_WEB);
});

Deno.test({
  name: "the monitor moves a socket among the messages to .rejected (skipped without python3)",
  ignore: !hasCommand("python3"),
  fn: async () => {
    await using colony = new Colony({ config: { web: CAT } });
    await colony.started("web");
    const bind = 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1] + "/socket")';
    assertEquals((await run(["python3", "-c", bind, colony.messages])).code, 0);
    await said(colony, "socket", "not a regular file");
    await colony.until("it is put away", () => putAway(colony).join() === "socket");
    assertEquals(colony.count(/is invalid/), 1);
  },
});

Deno.test({
  name: "the monitor moves a message that it may not read to .rejected (as root, skipped without setpriv)",
  ignore: IS_ROOT && !hasCommand("setpriv"),
  fn: async () => {
    const wrap = IS_ROOT ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
    await using colony = new Colony({ wrap, config: { web: CAT } });
    const web = await colony.started("web");
    const file = colony.dir.write("message", RESTART_WEB);
    Deno.chmodSync(file, 0);
    Deno.renameSync(file, join(colony.messages, "locked"));
    await said(colony, "locked", "permission denied");
    await colony.until("it is put away", () => putAway(colony).join() === "locked");
    assertEquals([colony.count(/is invalid/), colony.pidsOf("web")], [1, [web]]);
  },
});

const NAMES = [
  "line\nbreak 2000-01-01T00:00:00.000Z INFO x",
  "\u001b[2J\r\t\b",
  "\u007f\u009b2J\u2028",
  "-rf *",
  "n".repeat(251),
];

Deno.test("a message's file name breaks no log line, and may have the greatest length", async () => {
  await using colony = new Colony({ config: { web: CAT } });
  await colony.started("web");
  for (const name of NAMES) {
    place(colony.messages, name, "{");
    await colony.waitFor(/is invalid/, NAMES.indexOf(name) + 1);
  }
  Deno.writeTextFileSync(join(colony.messages, "n".repeat(255)), RESTART_WEB);
  await colony.started("web", 2);
  await colony.until("none is left", () => namesIn(colony.messages).join() === ".rejected");
  assertEquals(putAway(colony), [...NAMES].sort());
  // deno-lint-ignore no-control-regex -- the test searches for control characters
  assertEquals(colony.matching(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/), []);
  assertEquals(colony.count(/^20\d\d-[-\d]+T[:.\d]+Z (INFO|WARN) /), colony.lines.length);
});
