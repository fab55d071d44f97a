/** The commands of ctl do what they say, or say that they did not. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { type TempDir, tempDir } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { ctlPermissions, hasCommand, IS_ROOT, namesIn, type Result, run, runTool, sh, toolCommand } from "./tools.ts";

const CAT = '{"args": ["cat"]}';

/** Two directories with two configs, without a monitor. */
function site(dir: TempDir): { readonly config: string; readonly messages: string } {
  const places = { config: dir.dir("config"), messages: dir.dir("messages") };
  for (const name of ["web", "database"]) Deno.writeTextFileSync(join(places.config, name), CAT);
  return places;
}

async function ctl(places: { config: string; messages: string }, ...args: string[]): Promise<Result> {
  const words = ["--config", places.config, "--messages", places.messages, ...args];
  return await runTool("ctl/mod.ts", words, ctlPermissions(places));
}

for (const command of ["restart", "remove", "start", "stop"]) {
  Deno.test(`ctl ${command} of a name that no config has exits with 4, names the nearest one, and does nothing`, async () => {
    using dir = tempDir();
    const places = site(dir);
    const { code, stdout, stderr } = await ctl(places, command, "database", "wbe");
    assertEquals([code, stdout, stderr], [4, "", 'ncolony-ctl: There is no "wbe": did you mean "web"?\n']);
    assertEquals(namesIn(places.messages), []);
    assertEquals(namesIn(places.config).map((name) => Deno.readTextFileSync(join(places.config, name))), [CAT, CAT]);
  });
}

Deno.test("ctl restart-group of a group without members exits with 4, and sends nothing", async () => {
  using dir = tempDir();
  const places = site(dir);
  Deno.writeTextFileSync(join(places.config, "front"), '{"args": ["cat"], "group": ["eu"]}');
  const { code, stderr } = await ctl(places, "restart-group", "us");
  assertEquals([code, stderr], [4, 'ncolony-ctl: There is no process in the group "us"\n']);
  assertEquals(namesIn(places.messages), []);
  assertEquals((await ctl(places, "restart-group", "eu")).code, 0);
  assertEquals(namesIn(places.messages).length, 1);
});

Deno.test("ctl says that no monitor is running, where it can see that, and leaves the order for the next one", async () => {
  using dir = tempDir();
  const places = site(dir);
  const status = dir.dir("status");
  const argv = ["--config", places.config, "--messages", places.messages, "--status", status];
  const seeing = async (...words: string[]) => {
    const { config, messages } = places;
    const permissions = [`--allow-read=${config},${messages},${status}`, `--allow-write=${config},${messages}`];
    return await runTool("ctl/mod.ts", [...argv, ...words], permissions);
  };
  const note = "ncolony-ctl: no monitor is running: the next one will do this\n";
  for (const words of [["restart", "web"], ["restart-all"], ["stop", "web"], ["add", "new", "--cmd", "cat"]]) {
    assertEquals(await seeing(...words), { code: 0, stdout: "", stderr: note });
    assertEquals((await ctl(places, "--status", status, "restart-all")).stderr, "");
  }
  assertEquals(namesIn(places.messages).length, 6);
  assertEquals((await seeing("restart", "wbe")).stderr, 'ncolony-ctl: There is no "wbe": did you mean "web"?\n');
  using _lock = lockFile(join(status, ".lock"));
  assertEquals(await seeing("restart", "database"), { code: 0, stdout: "", stderr: "" });
});

/** Holds the lock of a file, as a monitor does. */
function lockFile(path: string): Deno.FsFile {
  const file = Deno.openSync(path, { read: true, write: true, create: true });
  file.lockSync(true);
  return file;
}

Deno.test("ctl restart of a disabled process exits with 3, and sends nothing", async () => {
  using dir = tempDir();
  const places = site(dir);
  assertEquals((await ctl(places, "stop", "web")).code, 0);
  const { code, stderr } = await ctl(places, "restart", "web");
  assertEquals([code, stderr], [3, 'ncolony-ctl: "web" is disabled: start it first, with "start"\n']);
  assertEquals(namesIn(places.messages), []);
});

Deno.test("ctl --force asks for any restart, and so does a ctl that may not read the configs", async () => {
  using dir = tempDir();
  const places = site(dir);
  for (const args of [["restart", "wbe"], ["restart-group", "us"]]) {
    assertEquals((await ctl(places, "--force", ...args)).code, 0);
  }
  const only = [`--allow-read=${places.messages}`, `--allow-write=${places.messages}`];
  const words = ["--config", places.config, "--messages", places.messages];
  for (const args of [["restart", "wbe"], ["restart-group", "us"]]) {
    assertEquals(await run([...toolCommand("ctl/mod.ts", only), ...words, ...args]), {
      code: 0,
      stdout: "",
      stderr: "",
    });
  }
  assertEquals(namesIn(places.messages).length, 4);
});

Deno.test("ctl restart and remove take several names, each once", async () => {
  using dir = tempDir();
  const places = site(dir);
  assertEquals((await ctl(places, "restart", "web", "database", "web")).code, 0);
  const sent = namesIn(places.messages).map((name) =>
    JSON.parse(Deno.readTextFileSync(join(places.messages, name))).name
  );
  assertEquals(sent, ["web", "database"]);
  assertEquals((await ctl(places, "remove", "web", "database")).code, 0);
  assertEquals(namesIn(places.config), []);
});

Deno.test("ctl stop and start keep a process from running and let it run, also over a restart of the monitor", async () => {
  const web = { args: ["sleep", "1000"], "ncolony.monitor": { kill_time: 3 } };
  await using colony = new Colony({ config: { web } });
  await colony.started("web");
  assertEquals((await colony.ctl("stop", "web")).code, 0);
  await colony.waitFor(/INFO web: stopping -> gone /);
  assertEquals(JSON.parse(Deno.readTextFileSync(join(colony.config, "web"))), {
    ...web,
    "ncolony.monitor": { kill_time: 3, enabled: false },
  });
  assertEquals((await colony.ctl("start", "web")).code, 0);
  await colony.started("web", 2);
  assertEquals(JSON.parse(Deno.readTextFileSync(join(colony.config, "web"))), web);
});

Deno.test("ctl patch changes keys of a config, and keeps the others, their order, the indentation, mode and owner", async () => {
  using dir = tempDir();
  const places = site(dir);
  const path = join(places.config, "web");
  const before = '{\n    "env": {"A": "1", "B": "2"},\n    "args": ["cat"],\n    "mine": [1, {"x": null}]\n}\n';
  Deno.writeTextFileSync(path, before);
  Deno.chmodSync(path, 0o662);
  if (IS_ROOT) Deno.chownSync(path, 4711, 4712);
  const { code, stderr } = await ctl(places, "patch", "web", '{"env": {"A": null, "C": "3"}, "uid": 7}');
  assertEquals([code, stderr], [0, ""]);
  const after = {
    env: { B: "2", C: "3" },
    args: ["cat"],
    mine: [1, { x: null }],
    uid: 7,
  };
  assertEquals(Deno.readTextFileSync(path), `${JSON.stringify(after, null, 4)}\n`);
  const { mode, uid, gid } = Deno.statSync(path);
  assertEquals((mode ?? 0) & 0o777, 0o662);
  if (IS_ROOT) assertEquals([uid, gid], [4711, 4712]);
});

Deno.test("ctl patch, start and stop write nothing that is invalid, and nothing if nothing changes", async () => {
  using dir = tempDir();
  const places = site(dir);
  const path = join(places.config, "web");
  const inode = Deno.statSync(path).ino;
  for (
    const [args, code, reason] of [
      [["patch", "web", '{"args": "cat"}'], 2, 'Cannot change "web": "args" must be '],
      [["patch", "web", '{"args": null}'], 2, 'Cannot change "web": "args" must be '],
      [["patch", "web", "{"], 2, "Cannot use the patch: invalid JSON at line 1, column 2"],
      [["patch", "web", "3"], 2, "Cannot use the patch: must be a JSON object: got a number"],
      [["patch", "web"], 2, "patch needs a NAME and a JSON object"],
      [["patch", "wbe", "{}"], 4, 'There is no "wbe": did you mean "web"?'],
      [["stpo", "web"], 2, 'unknown command "stpo": did you mean stop?'],
      [["start", "web"], 0, ""],
      [["patch", "web", '{"uid": null}'], 0, ""],
    ] as const
  ) {
    const result = await ctl(places, ...args);
    assertEquals(result.code, code, result.stderr);
    assertStringIncludes(result.stderr, reason);
  }
  assertEquals([Deno.readTextFileSync(path), Deno.statSync(path).ino], [CAT, inode]);
  Deno.writeTextFileSync(path, "{");
  const { code, stderr } = await ctl(places, "stop", "web");
  const broken =
    'Cannot change "web": its config is invalid: invalid JSON at line 1, column 2: a } is missing at the end';
  assertEquals([code, stderr], [1, `ncolony-ctl: ${broken}\n`]);
});

Deno.test("ctl stop does not replace a link, and says where to change what it cannot write", async () => {
  using dir = tempDir();
  const places = site(dir);
  const template = dir.write("template", CAT);
  Deno.symlinkSync(template, join(places.config, "instance"));
  const linked = await runTool(
    "ctl/mod.ts",
    ["--config", places.config, "--messages", places.messages, "stop", "instance"],
    ["--allow-read", "--allow-write"],
  );
  assertEquals(linked.code, 1);
  assertMatch(linked.stderr, /^ncolony-ctl: Cannot change ".*instance": is a link: change it where it leads\n$/);
  assertEquals(Deno.readTextFileSync(template), CAT);
});

Deno.test({
  name: `ctl stop on a read-only file system exits with 1, and says to change it where it comes from${
    IS_ROOT ? "" : " (skipped: needs root)"
  }`,
  ignore: !IS_ROOT,
  fn: async () => {
    using dir = tempDir();
    const places = site(dir);
    const mount =
      `mount --bind '${places.config}' '${places.config}' && mount -o remount,bind,ro '${places.config}' && exec "$@"`;
    const words = ["--config", places.config, "--messages", places.messages, "stop", "web"];
    const tool = toolCommand("ctl/mod.ts", ctlPermissions(places));
    const { code, stderr } = await run(["unshare", "--mount", ...sh(mount), "sh", ...tool, ...words]);
    assertEquals(code, 1);
    assertMatch(stderr, /^ncolony-ctl: Cannot write .*[Rr]ead-only file system.*: change it where it comes from\n$/);
  },
});

const CAN_DROP = IS_ROOT && hasCommand("setpriv");

Deno.test({
  name: `ctl asks for restarts although its user may not see the configs${
    CAN_DROP ? "" : " (skipped: needs root, setpriv)"
  }`,
  ignore: !CAN_DROP,
  fn: async () => {
    using dir = tempDir();
    const places = site(dir);
    Deno.writeTextFileSync(join(places.config, "web"), '{"args": ["cat"], "group": ["front"]}');
    Deno.chownSync(places.config, 65_534, 65_534);
    Deno.chmodSync(places.config, 0o700);
    const user = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    const words = [...toolCommand("ctl/mod.ts", ["--allow-read", "--allow-write"]), "--config", places.config];
    const ask = async (...command: string[]) =>
      await run([...user, ...words, "--messages", places.messages, ...command]);
    for (const command of [["restart", "web"], ["restart-group", "front"], ["restart-all"]]) {
      assertEquals(await ask(...command), { code: 0, stdout: "", stderr: "" }, command.join(" "));
    }
    assertEquals([...Deno.readDirSync(places.messages)].length, 3);
  },
});
