/** Provokes each error text of Deno's that the code parses. These tests fail if Deno words one of them differently. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { constants, openSync } from "node:fs";
import {
  describeError,
  faultOf,
  isAboutDirectory,
  isNotUtf8,
  unnamedSignal,
  whyNotSpawned,
} from "../../host/deno_errors.ts";
import { ROOT, run, sh } from "../cli/tools.ts";
import { tempDir } from "../helpers.ts";

/** Returns what an action throws. */
async function thrownBy(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** Runs code in its own Deno, with `E` as the module under test. Returns what it prints. */
async function printed(permissions: readonly string[], code: string): Promise<string> {
  const script = `import * as E from ${JSON.stringify(`file://${ROOT}host/deno_errors.ts`)};\n${code}`;
  const args = ["run", "--no-prompt", "--quiet", "--frozen", "--config", `${ROOT}deno.json`, ...permissions, "-"];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout).trim();
}

Deno.test("describeError() names the file and the reason", async () => {
  using dir = tempDir();
  const [none, other] = [dir.file("none"), dir.file("other")];
  assertEquals(
    describeError(await thrownBy(() => Deno.readTextFileSync(none))),
    `${JSON.stringify(none)}: no such file or directory`,
  );
  assertEquals(
    describeError(await thrownBy(() => Deno.renameSync(none, other))),
    `${JSON.stringify(other)}: no such file or directory`,
  );
  assertEquals(describeError(new Error("as it is")), "as it is");
  assertEquals(describeError("a text"), "a text");
});

Deno.test("describeError() and faultOf() name the flag of a missing permission", async () => {
  const code = `try { Deno.readTextFileSync("/etc/hostname"); } catch (error) {
    console.log(E.describeError(error), "|", E.faultOf(error));
  }`;
  assertEquals(await printed([], code), 'needs --allow-read for "/etc/hostname" | needs --allow-read');
});

Deno.test("faultOf() describes an error of the file system in a few words, without the path", async () => {
  using dir = tempDir();
  Deno.symlinkSync(dir.file("loop"), dir.file("loop"));
  const faults = {
    none: await thrownBy(() => Deno.readTextFileSync(dir.file("none"))),
    loop: await thrownBy(() => Deno.readTextFileSync(dir.file("loop"))),
    directory: await thrownBy(() => Deno.readTextFileSync(dir.path)),
    long: await thrownBy(() => Deno.readTextFileSync(dir.file("x".repeat(300)))),
    node: await thrownBy(() => openSync(dir.path, constants.O_WRONLY)),
    nodeLong: await thrownBy(() => openSync(dir.file("x".repeat(300)), constants.O_RDONLY)),
    nodeNone: await thrownBy(() => openSync(dir.file("none"), constants.O_RDONLY)),
  };
  assertEquals(Object.entries(faults).map(([name, error]) => `${name}: ${faultOf(error)}`), [
    "none: no such file or directory",
    "loop: too many levels of symbolic links",
    "directory: is a directory",
    "long: file name too long",
    "node: is a directory",
    "nodeLong: file name too long",
    "nodeNone: no such file or directory",
  ]);
});

Deno.test("faultOf() recognizes a symlink that is not followed, and a full disk, which only --allow-all can provoke", async () => {
  using dir = tempDir();
  Deno.symlinkSync(dir.write("file", ""), dir.file("link"));
  const code = `import { constants, openSync } from "node:fs";
    const tell = (action) => { try { action(); } catch (error) { console.log(E.faultOf(error)); } };
    tell(() => Deno.writeTextFileSync("/dev/full", "x"));
    tell(() => openSync(${JSON.stringify(dir.file("link"))}, constants.O_NOFOLLOW));`;
  assertEquals(await printed(["-A"], code), "no space left on device\nis a symbolic link");
});

Deno.test("isAboutDirectory() distinguishes a missing working directory from a missing command", async () => {
  using dir = tempDir();
  const start = (command: string, cwd: string) => () => new Deno.Command(command, { cwd }).spawn();
  for (const cwd of [dir.file("none"), dir.write("file", "")]) {
    assertEquals(isAboutDirectory(await thrownBy(start("/bin/true", cwd))), true);
  }
  for (const command of ["/no/such/command", "/no/': No such cwd '/x", dir.path]) {
    assertEquals(isAboutDirectory(await thrownBy(start(command, "/"))), false);
  }
});

Deno.test("whyNotSpawned() explains why the system did not start a command", async () => {
  using dir = tempDir();
  const start = (command: string, args: string[] = []) => () => new Deno.Command(command, { args }).spawn();
  assertEquals(whyNotSpawned(await thrownBy(start(dir.write("file", "text")))), "permission denied");
  assertMatch(whyNotSpawned(await thrownBy(start("/bin/true", ["x".repeat(200_000)])))!, /^argument list too long$/);
  assertEquals(whyNotSpawned(new Error("something else")), undefined);
});

Deno.test("unnamedSignal() returns the number of a signal that Deno cannot name", async () => {
  const [command, ...args] = sh("kill -35 $$");
  assertEquals(unnamedSignal(await thrownBy(() => new Deno.Command(command!, { args }).spawn().status)), 35);
});

Deno.test("isEndedProcess() recognizes that a process exited while it was read", async () => {
  const code = `const child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
    const file = Deno.openSync("/proc/" + child.pid + "/stat");
    child.kill("SIGKILL");
    await child.status;
    try { file.readSync(new Uint8Array(100)); } catch (error) { console.log(E.isEndedProcess(error)); }
    try { Deno.readTextFileSync("/none"); } catch (error) { console.log(E.isEndedProcess(error)); }`;
  assertEquals(await printed(["-A"], code), "true\nfalse");
});

Deno.test("isNotUtf8() recognizes that a watch met a name that is not UTF-8", async () => {
  using dir = tempDir();
  using watcher = Deno.watchFs(dir.path);
  const next = thrownBy(() => watcher[Symbol.asyncIterator]().next());
  assertEquals((await run(sh(`cd '${dir.path}' && : > "$(printf 'web\\377')"`))).code, 0);
  assert(isNotUtf8(await next));
});
