/** `ctl check` and `ctl plan`, on real files. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { type TempDir, tempDir } from "../helpers.ts";
import { IS_ROOT, type Result, runTool } from "./tools.ts";

const GOOD = '{"args": ["/bin/cat"]}';

async function ctl(dir: TempDir, ...words: string[]): Promise<Result> {
  return await runTool("ctl/mod.ts", words.map((word) => word.replace("DIR", dir.path)), [
    "--allow-read",
    "--allow-sys=uid",
  ]);
}

/** Makes a directory of configs. */
function configs(dir: TempDir, name: string, texts: Readonly<Record<string, string>>): string {
  const path = dir.dir(name);
  for (const [file, text] of Object.entries(texts)) Deno.writeTextFileSync(join(path, file), text);
  return path;
}

Deno.test("ctl check tells every problem of a directory by file, line, column and field, and no monitor is needed", async () => {
  using dir = tempDir();
  const two = '{\n  "args": "x",\n  "uid": "0",\n  "ncolony.beatcheck": {"period": 1, "status": ""}\n}';
  configs(dir, "conf", { web: two, good: GOOD, ".hidden": "{", "web.new": "{", broken: '{"args": ["x"],}' });
  Deno.symlinkSync("nowhere", dir.file("conf/dangling"));
  assertEquals(await ctl(dir, "check", "DIR/conf"), {
    code: 3,
    stderr: "",
    stdout: [
      `${dir.path}/conf/broken:1:16: invalid JSON: there must be no comma before the }`,
      `${dir.path}/conf/dangling:1:1: dangling symbolic link`,
      `${dir.path}/conf/web:2:3: args: must be a non-empty array of strings that begins with a command: got a string`,
      `${dir.path}/conf/web:3:3: uid: must be a number from 0 to 4294967294: got a string`,
      `${dir.path}/conf/web:4:3: ncolony.beatcheck.grace: is missing`,
      `${dir.path}/conf/web:4:38: ncolony.beatcheck.status: must be a non-empty string: got another string`,
      "4 configs checked, 6 problems, 0 warnings",
      "",
    ].join("\n"),
  });
  const json = await ctl(dir, "check", "--config", "DIR/conf", "--json");
  const { version, findings } = JSON.parse(json.stdout);
  assertEquals([json.code, version, findings.length], [3, 1, 6]);
  assertEquals(findings[3], {
    file: `${dir.path}/conf/web`,
    name: "web",
    level: "problem",
    field: "uid",
    line: 3,
    column: 3,
    message: '"uid" must be a number from 0 to 4294967294: got a string',
  });
});

Deno.test("ctl check exits with 0 for warnings, with 3 for them if it is strict, and with 1 if there is nothing to check", async () => {
  using dir = tempDir();
  configs(dir, "conf", { web: '{"args": ["/bin/cat"], "ncolony.htpcheck": {}}' });
  const warned = await ctl(dir, "check", "DIR/conf");
  assertEquals([warned.code, warned.stderr], [0, ""]);
  assertStringIncludes(
    warned.stdout,
    'web:1:24: warning: ncolony.htpcheck: unknown key: did you mean "ncolony.httpcheck"?\n1 config checked, 0 problems, 1 warning\n',
  );
  assertEquals((await ctl(dir, "check", "DIR/conf", "--strict")).code, 3);
  assertEquals((await ctl(dir, "check", "DIR/conf/web", "--json")).code, 0);
  for (const path of ["DIR/none", "DIR/conf/none"]) {
    const { code, stdout, stderr } = await ctl(dir, "check", path);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^ncolony-ctl: ".*none": no such file or directory\n$/);
  }
  assertEquals((await ctl(dir, "check")).code, 2);
  assertEquals((await ctl(dir, "check", "DIR/conf", "--name", "web")).code, 2);
});

Deno.test("ctl check checks a temporary file as the config of a name, as Ansible needs it", async () => {
  using dir = tempDir();
  const file = dir.write(".ansible_tmp_x~", GOOD);
  // In a directory, it is no config.
  const leftover = configs(dir, "leftover", { "web~": "{", web: GOOD });
  const skipped = await ctl(dir, "check", leftover);
  assertEquals(skipped.code, 0);
  assertMatch(
    skipped.stdout,
    /web~:1:1: warning: is not used: a name must not [^]*\n1 config checked, 0 problems, 1 warning\n$/,
  );
  assertEquals((await ctl(dir, "plan", leftover, "--from", configs(dir, "same", { web: GOOD }))).code, 0);
  const own = await ctl(dir, "check", file);
  assertEquals(own.code, 3);
  assertMatch(own.stdout, /:1:1: a name must not /);
  assertEquals((await ctl(dir, "check", "--name", "web", file)).code, 0);
  Deno.writeTextFileSync(file, '{"args": []}');
  assertEquals((await ctl(dir, "check", "--name", "web", file)).code, 3);
});

Deno.test("ctl check --here finds what this machine lacks, and says nothing of that without it", async () => {
  using dir = tempDir();
  const monitor = (keys: object) => JSON.stringify({ args: ["/bin/cat"], "ncolony.monitor": keys });
  configs(dir, "conf", {
    bare: '{"args": ["no-such-command"], "env": {"PATH": "/bin"}}',
    command: '{"args": ["/no/such/command"]}',
    cwd: monitor({ cwd: "/no/such" }),
    file: monitor({ cwd: "/etc/passwd" }),
    good: '{"args": ["cat"], "uid": 0, "ncolony.monitor": {"cwd": "/tmp"}}',
    mode: '{"args": ["/etc/passwd"]}',
    open: GOOD,
    uid: '{"args": ["cat"], "uid": 3999999999}',
    groups: monitor({ groups: ["no-such-group", 7] }),
    user: monitor({ user: "no-such-user" }),
  });
  Deno.chmodSync(dir.file("conf/open"), 0o666);
  const blind = await runTool("ctl/mod.ts", ["check", dir.file("conf"), "--here"], ["--allow-read"]);
  assertEquals([blind.code, blind.stderr], [1, "ncolony-ctl: check --here needs --allow-sys=uid\n"]);
  assertEquals((await ctl(dir, "check", "DIR/conf")).code, 0);
  const { code, stdout } = await ctl(dir, "check", "DIR/conf", "--here");
  assertEquals(code, 3);
  const found = stdout.replaceAll(`${dir.path}/conf/`, "").split("\n");
  assertEquals(found.filter((line) => !line.startsWith("open:")), [
    'bare:1:2: args: command "no-such-command" not found in the PATH of its environment',
    'command:1:2: args: there is no command "/no/such/command"',
    'cwd:1:41: ncolony.monitor.cwd: there is no directory "/no/such"',
    'file:1:41: ncolony.monitor.cwd: "/etc/passwd" is not a directory',
    'groups:1:41: ncolony.monitor.groups: /etc/group has no group "no-such-group"',
    'mode:1:2: args: command "/etc/passwd": permission denied to execute it',
    "uid:1:19: uid: /etc/passwd has no account with the id 3999999999",
    'user:1:41: ncolony.monitor.user: /etc/passwd has no account with the name "no-such-user"',
    "10 configs checked, 9 problems, 0 warnings",
    "",
  ]);
  assertMatch(found.find((line) => line.startsWith("open:"))!, /^open:1:1: .*writable by other users \(mode 0666\)/);
  Deno.chmodSync(dir.file("conf"), 0o777);
  for (const path of ["DIR/conf", "DIR/conf/good"]) {
    assertMatch((await ctl(dir, "check", path, "--here")).stdout, /conf:1:1: .*writable by other users/);
  }
  Deno.chmodSync(dir.file("conf"), 0o755);
  if (!IS_ROOT) return;
  Deno.chownSync(dir.file("conf/good"), 4711, 4711);
  assertMatch((await ctl(dir, "check", "DIR/conf/good", "--here")).stdout, /good:1:1: .*owned by uid 4711/);
});

Deno.test("what a config says cannot control the terminal of ctl check and ctl plan", async () => {
  using dir = tempDir();
  const text = JSON.stringify({ args: ["x"], "ncolony.\x1b[31m\u202e": 1 });
  configs(dir, "conf", { "\x1b[31m": "{", web: text });
  for (
    const words of [["check", "DIR/conf"], ["check", "DIR/conf", "--json"], ["plan", "DIR/conf", "--from", "DIR/none"]]
  ) {
    dir.dir("none");
    const { stdout } = await ctl(dir, ...words);
    // deno-lint-ignore no-control-regex -- searches for control characters
    assert(stdout.length > 0 && !/[\x1b\u202e]/.test(stdout), stdout);
  }
});

Deno.test("ctl plan tells what would start, stop and restart, and because of which keys, and exits with 3", async () => {
  using dir = tempDir();
  const off = '{"args": ["/bin/cat"], "ncolony.monitor": {"enabled": false}}';
  const before = {
    same: GOOD,
    changed: GOOD,
    spaced: GOOD,
    gone: GOOD,
    on: off,
    off: GOOD,
    still: off,
    broken: "{",
    mended: "{",
  };
  const after = {
    same: GOOD,
    changed: '{"args": ["/bin/cat", "hunter2"], "ncolony.monitor": {"kill_time": 1}}',
    spaced: `${GOOD} `,
    on: GOOD,
    off,
    still: `${off} `,
    broken: "{",
    mended: GOOD,
    fresh: GOOD,
    worse: "[",
  };
  configs(dir, "before", before);
  configs(dir, "after", after);
  const planned = await ctl(dir, "plan", "DIR/after", "--from", "DIR/before");
  assertEquals(planned, {
    code: 3,
    stderr: "",
    stdout: [
      'restart "changed": its config changed: args, ncolony.monitor',
      'start   "fresh": added',
      'stop    "gone": removed',
      'restart "mended": its config was invalid',
      'stop    "off": disabled',
      'start   "on": enabled',
      'restart "spaced": only the layout of its config changed',
      'invalid "worse": invalid JSON at line 1, column 2: a ] is missing at the end',
      "2 to start, 2 to stop, 3 to restart, 1 invalid, which stays as now",
      "",
    ].join("\n"),
  });
  assertEquals(await ctl(dir, "plan", "DIR/after", "--config", "DIR/before"), planned);
  const { stdout } = await ctl(dir, "plan", "DIR/after", "--config", "DIR/before", "--json");
  assertEquals(JSON.parse(stdout).changes[0], {
    name: "changed",
    change: "restart",
    why: "its config changed",
    keys: ["args", "ncolony.monitor"],
  });
  const none = await ctl(dir, "plan", "DIR/after", "--from", "DIR/after");
  assertEquals(none, { code: 0, stdout: "Nothing would change.\n", stderr: "" });
  assertEquals((await ctl(dir, "plan", "DIR/none", "--from", "DIR/after")).code, 1);
});
