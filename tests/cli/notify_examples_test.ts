/** The examples of docs/notify.md do what the page says, its permissions are needed, and it is a library as well. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { existsSync } from "@std/fs/exists";
import { join } from "@std/path";
import { makeService, type Options } from "@ncolony/notify";
import { PERMISSIONS } from "../../tools/permissions.ts";
import { until } from "../helpers.ts";
import { NotifyGround, telling } from "./notifying.ts";
import { Program } from "./program.ts";
import { denoEnv, hasCommand, IS_ROOT, ROOT, run, sh, toolCommand } from "./tools.ts";

/** Returns the example of docs/notify.md that has a word. */
function example(word: string): string {
  const page = Deno.readTextFileSync(join(ROOT, "docs", "notify.md")).split(/^## Examples$/m)[1]!;
  const found = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, script]) => script!);
  return found.find((script) => script.includes(word))!;
}

/** Writes an executable script in a directory. */
function put(directory: string, name: string, text: string): void {
  Deno.writeTextFileSync(join(directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

/** Starts an example in the colony of a ground, with these changes of its text. */
async function start(
  ground: NotifyGround,
  word: string,
  changes: Readonly<Record<string, string>> = {},
  wrap: readonly string[] = [],
): Promise<Program> {
  let text = example(word).replace("/srv/colony", ground.dir.path);
  for (const [from, to] of Object.entries(changes)) {
    assertStringIncludes(text, from);
    text = text.replace(from, to);
  }
  const bin = ground.dir.dir("bin");
  const tool = toolCommand("notify/mod.ts", PERMISSIONS.notify).map((part) => `'${part}'`).join(" ");
  put(bin, "ncolony-notify", `exec ${tool} "$@"`);
  const env = { PATH: `${bin}:${Deno.env.get("PATH")}` };
  const program = new Program([...wrap, "bash", "-c", `exec ${text.trimStart()}`], { env });
  await program.until("it has begun", () => ground.remembered() !== null);
  return program;
}

Deno.test("the example of mail gives sendmail a mail with a subject and a line for each event", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  put(ground.dir.dir("bin"), "sendmail", `echo "$@" >${ground.dir.file("words")}; cat >${ground.dir.file("mail")}`);
  await using notified = await start(ground, "sendmail -t");
  ground.die("web", 3);
  await notified.waitFor(/ INFO run 1: exit code 0/);
  assertEquals(Deno.readTextFileSync(ground.dir.file("words")), "-t\n");
  const [to, subject, empty, ...lines] = Deno.readTextFileSync(ground.dir.file("mail")).trimEnd().split("\n");
  assertEquals([to, subject, empty], [
    "To: root",
    "Subject: web is in a crash loop (exit code 3, 3rd death in a row)",
    "",
  ]);
  assertEquals(lines.length, 1);
  assertMatch(lines[0]!, /^\d{4}-\d\d-\d\d [\d:]{8}Z {2}web is in a crash loop \(exit code 3, 3rd death in a row\)\.$/);
});

Deno.test({
  name: `the example of a webhook posts the document with curl, until the server takes it${
    hasCommand("curl") ? "" : " (skipped: needs curl)"
  }`,
  ignore: !hasCommand("curl"),
  fn: async () => {
    using ground = new NotifyGround();
    ground.seemAlive(true);
    const bodies: { type: string | null; method: string; text: string }[] = [];
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      const { method, headers } = request;
      bodies.push({ method, type: headers.get("content-type"), text: await request.text() });
      return new Response(null, { status: bodies.length === 1 ? 503 : 204 });
    });
    const hook = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/hook`;
    await using notified = await start(ground, "curl", { "https://example.com/hook": hook });
    const id = ground.die("web");
    await notified.waitFor(/ WARN curl failed \(exit code 22; its last line on stderr: curl: .*503.*\): /);
    await notified.waitFor(/ INFO run 2: exit code 0/);
    assertEquals(bodies.length, 2);
    const { method, type, text } = bodies[1]!;
    assertEquals([method, type], ["POST", "application/json"]);
    const { version, colony, summary, count, events: [event] } = JSON.parse(text);
    assertEquals([version, colony, count], [1, ground.dir.path, 1]);
    assertEquals([summary, event.id, event.event], ["web exited with 3 after 0.1 s", id, "exited"]);
  },
});

Deno.test("the example under the monitor tells of a crash loop of another process", async () => {
  using ground = new NotifyGround();
  const { dir } = ground;
  const bin = dir.dir("bin");
  const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(" ");
  const { PATH: _, ...variables } = denoEnv();
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`).join("; ");
  put(bin, "ncolony-notify", `${exports}; exec ${quoted(toolCommand("notify/mod.ts", PERMISSIONS.notify))} "$@"`);
  put(bin, "ncolony-ctl", `exec ${quoted(toolCommand("ctl/mod.ts", PERMISSIONS.ctl))} "$@"`);
  put(bin, "sendmail", `{ echo "to $1"; cat; } >${dir.file("new")}; mv ${dir.file("new")} ${dir.file("mail")}`);
  const env = { PATH: `${bin}:${Deno.env.get("PATH")}` };
  const colony = dir.dir("colony");
  const monitor = toolCommand("monitor/mod.ts", PERMISSIONS.monitor);
  await using program = new Program([...monitor, "--colony", colony, "-m", "0.2"], { env });
  await program.waitFor(/ INFO ncolony-monitor /);
  const script = example("ncolony-ctl").replaceAll("/srv/colony", colony);
  await using ctl = new Program(["bash", "-c", script], { env });
  assertEquals([await ctl.ended(), ctl.lines], [0, []]);
  await program.until("it has begun", () => existsSync(join(colony, "notify", "mail")));
  Deno.writeTextFileSync(join(colony, "conf", "crash"), JSON.stringify({ args: ["false"] }));
  await program.until("it is told", () => existsSync(dir.file("mail")));
  assertMatch(
    Deno.readTextFileSync(dir.file("mail")),
    /^to root\n\S+ \S+ {2}crash is in a crash loop \(exit code 1, 3rd death in a row\)\.\n/,
  );
});

const canPrivately = IS_ROOT && hasCommand("unshare") && (await run(["unshare", "--mount", "true"])).code === 0;

/** A journal that prints what it gets on its socket. */
const JOURNAL = `const listener = Deno.listen({ transport: "unix", path: Deno.args[0] });
for await (const connection of listener) connection.readable.pipeTo(Deno.stdout.writable, { preventClose: true });`;

for (
  const [word, path] of [["systemd-cat", "/run/systemd/journal/stdout"], ["logger", "/dev/log"]] as const
) {
  const canRun = canPrivately && hasCommand(word);
  Deno.test({
    name: `the example of ${word} writes to the system's log${
      canRun ? "" : ` (skipped: needs root, ${word}, unshare)`
    }`,
    ignore: !canRun,
    fn: async () => {
      using ground = new NotifyGround();
      ground.seemAlive(true);
      const journal = ground.dir.write("journal.ts", word === "logger" ? SYSLOG : JOURNAL);
      const socket = ground.dir.file("socket");
      const deno = [
        Deno.execPath(),
        "run",
        "--no-prompt",
        "--no-config",
        "--allow-all",
        "--unstable-net",
        journal,
        socket,
      ];
      await using log = new Program(deno);
      await log.until("it listens", () => existsSync(socket));
      // What is at the real path stays as it is for everybody else.
      const place = word === "logger"
        ? `mount -t tmpfs tmpfs /mnt && cp -a /dev/null /dev/urandom /dev/random /mnt && ln -s ${socket} /mnt/log &&
           mount --bind /mnt /dev`
        : `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && ln -s ${socket} ${path}`;
      const wrap = ["unshare", "--mount", ...sh(`${place} && exec "$@"`), "sh"];
      await using _notified = await start(ground, word, {}, wrap);
      ground.record(["web", "problem", { message: "uid: must be a number", field: "uid", line: null, column: null }]);
      const line = "The config file of web is invalid and not in use: uid: must be a number";
      await log.waitFor(RegExp(line));
      const text = log.lines.join("\n");
      assertStringIncludes(text, "ncolony");
      // The priority is warning; for logger, together with the facility daemon.
      if (word === "logger") assertMatch(text, /^<28>.* ncolony: The config file/m);
      else assertMatch(text, /^ncolony\n.*\n4\n/m);
    },
  });
}

/** The same for datagrams. */
const SYSLOG = `const socket = Deno.listenDatagram({ transport: "unixpacket", path: Deno.args[0] });
for await (const [bytes] of socket) Deno.stdout.writeSync(new TextEncoder().encode(new TextDecoder().decode(bytes) + "\\n"));`;

/** The permissions that docs/notify.md names, and what notify says without them. */
const NEEDS: readonly (readonly [flag: string, says: RegExp, ends: boolean])[] = [
  ["--allow-read=STATUS", / ERROR cannot read the events: .*needs --allow-read/, false],
  ["--allow-read=STATE", /^ncolony-notify: Cannot use the state file .*needs --allow-read$/, true],
  ["--allow-write=STATE", /^ncolony-notify: Cannot use the state file .*needs --allow-write$/, true],
  ["--allow-run", /^ncolony-notify: needs --allow-run without a list of programs, to start commands/, true],
];

/** Returns flags with one for all paths of a kind. */
function flagsOf(ground: NotifyGround, names: readonly string[]): string[] {
  const paths = { STATUS: ground.status, STATE: ground.dir.file("notify") } as Record<string, string>;
  const split = names.map((name) => name.split("="));
  const grouped = Map.groupBy(split, ([flag]) => flag!);
  return [...grouped].map(([flag, all]) => {
    const scopes = all.flatMap(([, scope]) => scope === undefined ? [] : [paths[scope]!]);
    return scopes.length === 0 ? flag : `${flag}=${scopes.join()}`;
  });
}

Deno.test("notify needs the permissions of docs/notify.md, and each of them", async () => {
  for (const missing of [null, ...NEEDS]) {
    using ground = new NotifyGround();
    ground.seemAlive(true);
    ground.dir.dir("notify");
    const names = NEEDS.filter((need) => need !== missing).map(([name]) => name);
    const tool = toolCommand("notify/mod.ts", [...flagsOf(ground, names)]);
    const words = ["--colony", ground.dir.path, "--on", "killed", "--arg", "true"];
    await using notified = new Program([...tool, ...words]);
    if (missing === null) {
      await notified.until("it has begun", () => ground.remembered() !== null);
      ground.record(["web", "killed"]);
      await notified.waitFor(/ INFO run 1: exit code 0/);
      // The permission for the heartbeat, which it does not have, is all that is missing.
      assertEquals(notified.lines.filter((line) => /needs|--allow-/.test(line) && !/no heartbeat/.test(line)), []);
    } else {
      await notified.waitFor(missing[1]);
      if (missing[2]) assertEquals(await notified.ended(), 1);
    }
  }
});

Deno.test("makeService() tells as the program does, and checks its options", async () => {
  using ground = new NotifyGround();
  ground.seemAlive(true);
  const { status, state } = ground;
  const options: Options = { status, state, on: ["killed"], args: ["sh", "-c", telling(ground.dir)] };
  const wrong: readonly (readonly [options: Record<string, unknown>, error: typeof Error, says: string])[] = [
    [{ status: "" }, TypeError, '"status" must not be empty'],
    [{ state: 3 }, TypeError, '"state" must be a string'],
    [{ colony: "" }, TypeError, '"colony" must not be empty'],
    [{ on: [] }, TypeError, '"on" must name what to report'],
    [{ on: "killed" }, TypeError, '"on" must be an array of strings'],
    [{ on: ["kill"] }, TypeError, '"on" must be of started, '],
    [{ args: [] }, TypeError, '"args[0]" must be a string'],
    [{ args: [""] }, TypeError, '"args[0]" must not be empty'],
    [{ names: ["a/b"] }, TypeError, '"names": "a/b" is invalid'],
    ...["notMoreOften", "timeout", "grace"].flatMap((name) =>
      [NaN, -1, 1e10, ...(name === "timeout" ? [0] : [])].map((value) =>
        [{ [name]: value }, RangeError, `"${name}" must be a number from`] as const
      )
    ),
    [{ timeout: "1" }, TypeError, '"timeout" must be a number'],
  ];
  for (const [change, error, says] of wrong) {
    // A program without types may do this.
    assertThrows(() => makeService({ ...options, ...change } as unknown as Options), error, says);
  }
  assertEquals(existsSync(state), false);
  await using service = makeService(options);
  await service.start();
  await until("it has begun", () => ground.remembered() !== null);
  ground.record(["web", "killed"]);
  await until("it is told", () => ground.told().length > 0);
  await service.stop();
  assertEquals([await service.ended, ground.toldWords()], [0, ["web killed"]]);
  assert(Number(ground.remembered()!.id) > 0);
});
