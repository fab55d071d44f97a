import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { isAlive, tempDir } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { hasCommand, IS_ROOT, MONITOR_PERMISSIONS, namesIn, run, sh } from "./tools.ts";

const CAT = { args: ["cat"] };

/** Runs each process once. */
const ONCE = ["-t", "1e6", "-m", "1e6", "-M", "1e6"];

/** Waits until a process has exited. Returns the lines that it wrote to its stdout. */
async function outputOf(colony: Colony, name: string): Promise<string[]> {
  await colony.waitFor(new RegExp(`${name}: stopping -> waiting`));
  const prefix = `[${name}] `;
  await colony.until(`output of ${name}`, () => colony.lines.some((line) => line.startsWith(prefix)));
  return colony.lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
}

const WHO = sh('echo "$(id -u) $(id -g) $(id -G)"');

Deno.test({
  name: "a process runs with its uid and gid, and without supplementary groups",
  ignore: !IS_ROOT || !hasCommand("setpriv"),
  fn: async () => {
    await using colony = new Colony({
      args: ONCE,
      wrap: ["setpriv", "--groups", "1,2,3"],
      config: {
        both: { args: WHO, uid: 65534, gid: 65533 },
        user: { args: WHO, uid: 65534 },
        group: { args: WHO, gid: 65533 },
        root: { args: WHO, uid: 0, gid: 0 },
      },
    });
    assertEquals(await outputOf(colony, "both"), ["65534 65533 65533"]);
    assertEquals(await outputOf(colony, "user"), ["65534 0 0"]);
    assertEquals(await outputOf(colony, "group"), ["0 65533 65533"]);
    assertEquals(await outputOf(colony, "root"), ["0 0 0"]);
    const { stdout } = await run(["cat", `/proc/${colony.process.pid}/status`]);
    assertMatch(stdout, /^Groups:\s*1 2 3\s*$/m, "the monitor has groups to drop");
    await colony.waitFor(/WARN user: "uid" is set without "gid": the process runs with the monitor's gid 0/);
    assertEquals(colony.count(/without "gid"/), 1);
  },
});

Deno.test({
  name: "the monitor restarts and stops a process of another user like any other",
  ignore: !IS_ROOT,
  fn: async () => {
    const config = { args: ["sleep", "1000"], uid: 65534, gid: 65534 };
    await using colony = new Colony({ config: { web: config } });
    const first = await colony.started("web");
    assertEquals((await colony.ctl("restart", "web")).code, 0);
    const second = await colony.started("web", 2);
    colony.remove("web");
    await colony.waitFor(/web: stopping -> gone/);
    assertEquals([first, second].map(isAlive), [false, false]);
  },
});

Deno.test("a process starts in its cwd, or in the monitor's working directory if it has none", async () => {
  using dir = tempDir();
  const [own, place] = ["its own", "a place"].map((name) => Deno.realPathSync(dir.dir(name)));
  await using colony = new Colony({
    args: ONCE,
    wrap: [...sh('cd "$0" && exec "$@"'), own],
    config: { there: { args: ["pwd"] }, here: { args: ["pwd"], "ncolony.monitor": { cwd: place } } },
  });
  assertEquals(await outputOf(colony, "here"), [place]);
  assertEquals(await outputOf(colony, "there"), [own]);
});

Deno.test("a bare command is looked up in its process's PATH, not in the monitor's", async () => {
  using dir = tempDir();
  const tool = dir.file("ncolony-test-tool");
  Deno.writeTextFileSync(tool, "#!/bin/sh\necho found $0\n", { mode: 0o755 });
  const args = ["ncolony-test-tool"];
  await using colony = new Colony({
    args: ONCE,
    env: { PATH: `${dir.path}:${Deno.env.get("PATH")}` },
    config: { with: { args, env: { PATH: `/nowhere:${dir.path}` } }, without: { args } },
  });
  assertEquals(await outputOf(colony, "with"), [`found ${tool}`]);
  await colony.waitFor(/without: running -> stopping \(cannot start: command "ncolony-test-tool"/);
});

for (const stdin of ["/dev/null", "a pipe", "closed"]) {
  Deno.test(`my-cat-program runs and restarts with the monitor's stdin ${stdin === "closed" ? "" : "at "}${stdin}`, async () => {
    await using colony = new Colony({
      stdin: stdin === "a pipe" ? "piped" : "null",
      wrap: stdin === "closed" ? ["sh", "-c", 'exec "$@" <&-', "sh"] : [],
    });
    assertEquals((await colony.ctl("add", "my-cat-program", "--cmd", "cat")).code, 0);
    const pid = await colony.started("my-cat-program");
    await colony.fence();
    assertEquals(isAlive(pid), true);
    assertEquals(colony.pidsOf("my-cat-program"), [pid]);
    assertEquals((await colony.ctl("restart", "my-cat-program")).code, 0);
    await colony.started("my-cat-program", 2);
    assertEquals(await colony.stop(), 0);
  });
}

Deno.test("the pid directory has a file with the pid of each running process", async () => {
  await using colony = new Colony({ config: { web: CAT, db: CAT } });
  const [web, db] = [await colony.started("web"), await colony.started("db")];
  assertEquals(namesIn(colony.pids), ["db", "web"]);
  assertEquals(Deno.readTextFileSync(join(colony.pids, "web")), `${web}`);
  assertEquals(Deno.readTextFileSync(join(colony.pids, "db")), `${db}`);
  colony.send({ type: "RESTART", name: "web" });
  const second = await colony.started("web", 2);
  assertEquals(Deno.readTextFileSync(join(colony.pids, "web")), `${second}`);
  colony.remove("db");
  await colony.waitFor(/db: stopping -> gone/);
  assertEquals(namesIn(colony.pids), ["web"]);
  assertEquals(await colony.stop(), 0);
  assertEquals(namesIn(colony.pids), []);
});

Deno.test("the monitor does not write through a symlink that was planted in the pid directory", async () => {
  await using colony = new Colony();
  await colony.fence();
  const victim = colony.dir.write("victim", "precious");
  Deno.symlinkSync(victim, join(colony.pids, "web"));
  colony.put("web", CAT);
  const pid = await colony.started("web");
  assert(Deno.lstatSync(join(colony.pids, "web")).isFile);
  assertEquals(Deno.readTextFileSync(join(colony.pids, "web")), `${pid}`);
  colony.remove("web");
  await colony.waitFor(/web: stopping -> gone/);
  assertEquals(Deno.readTextFileSync(victim), "precious");
});

Deno.test("the monitor names the missing permission if a process cannot be started for lack of one", async () => {
  const permissions = MONITOR_PERMISSIONS.filter((permission) => permission !== "--allow-env");
  await using colony = new Colony({ permissions, config: { web: { args: ["cat"], env_inherit: ["HOME"] } } });
  await colony.waitFor(/web: running -> stopping \(cannot start: .*--allow-env/);
  await colony.waitFor(/web: stopping -> waiting for [\d.]+ s/);
  assertEquals(await colony.stop(), 0);
});

Deno.test("processes without a cwd run in / if the monitor's own working directory is gone, which is logged once", async () => {
  using dir = tempDir();
  const own = dir.dir("own");
  const where = { args: sh('echo "in $(pwd)"; exec sleep 1000') };
  await using colony = new Colony({
    wrap: [...sh('cd "$1" && shift && exec "$@"'), "sh", own],
    config: { web: where },
  });
  assertEquals((await colony.waitFor(/^\[web\] in (.*)$/))[1], own);
  Deno.removeSync(own);
  for (const name of ["db", "jobs"]) colony.put(name, where);
  for (const name of ["db", "jobs"]) {
    assertEquals((await colony.waitFor(new RegExp(`^\\[${name}\\] in (.*)$`)))[1], "/");
  }
  colony.send({ type: "RESTART", name: "web" });
  await colony.waitFor(/^\[web\] in \/$/);
  assertEquals(
    colony.count(/WARN \w+: the current working directory no longer exists: processes without a "cwd" run in \/$/),
    1,
  );
});
