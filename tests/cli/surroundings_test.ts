/** The real monitor gives processes the surroundings that their configs ask for, or reports what keeps it from that. */

import { assertEquals } from "@std/assert";
import { isAlive, tempDir } from "../helpers.ts";
import { ACCOUNTS, shell, test, withFiles } from "../host/surrounding.ts";
import { Colony } from "./harness.ts";
import { gone, MONITOR_PERMISSIONS, run, toolCommand } from "./tools.ts";

/** The monitor's least permissions, and the one for a umask. */
const WITH_UMASK = MONITOR_PERMISSIONS.map((flag) => flag.startsWith("--allow-sys") ? "--allow-sys" : flag);

const IDS = "id -u; id -g; id -G";

/** Returns a config whose process writes what a script does in one line, and stays. */
function saying(script: string, ...rest: Parameters<typeof shell> extends [string, ...infer R] ? R : never): object {
  return shell(`echo says $(${script}); exec sleep 300`, ...rest);
}

/** Waits for the nth line that a process wrote. */
async function says(colony: Colony, name: string, nth = 1): Promise<string> {
  return (await colony.waitFor(new RegExp(`^\\[${name}\\] says (.*)$`), nth))[1]!;
}

test("the monitor starts processes in their surroundings, with the least permissions", async () => {
  using dir = tempDir();
  const config = {
    user: saying(IDS, { user: "app" }),
    groups: saying(IDS, { user: "app", groups: ["extra", 7] }),
    nice: saying("nice", { nice: 7 }),
    oom: saying("cat /proc/self/oom_score_adj", { oom_score_adj: 321 }),
    nofile: saying("ulimit -Sn", { nofile: 77 }),
    umask: saying("umask", { umask: "0027" }),
    all: saying(`${IDS}; nice; cat /proc/self/oom_score_adj; ulimit -Sn; umask; pwd`, {
      user: "app",
      groups: ["extra"],
      nice: -2,
      oom_score_adj: 5,
      nofile: 99,
      umask: "0077",
      cwd: "/usr",
    }),
  };
  await using colony = new Colony({ wrap: withFiles(dir, ACCOUNTS), config, permissions: WITH_UMASK });
  const said = await Promise.all(Object.keys(config).map(async (name) => [name, await says(colony, name)]));
  assertEquals(Object.fromEntries(said), {
    user: "4711 4712 4712 4713",
    groups: "4711 4712 4712 7 4713 4714",
    nice: "7",
    oom: "321",
    nofile: "77",
    umask: "0027",
    all: "4711 4712 4712 4713 4714 -2 5 99 0077 /usr",
  });
  const pids = Object.keys(config).flatMap((name) => colony.pidsOf(name));
  assertEquals(pids.map((pid) => isAlive(-pid)), pids.map(() => true), "each leads its group");
  assertEquals([colony.lines.filter((line) => /WARN|ERROR/.test(line)), await colony.stop()], [[], 0]);
  await gone(...pids);
});

test("a restart takes the groups that the user has by then", async () => {
  using dir = tempDir();
  await using colony = new Colony({
    wrap: withFiles(dir, ACCOUNTS),
    config: { web: saying("id -G", { user: "app" }) },
  });
  assertEquals(await says(colony, "web"), "4712 4713");
  dir.write("group", ACCOUNTS["/etc/group"]!.replace("extra:x:4714:", "extra:x:4714:app"));
  // The groups are remembered for a second.
  for (let nth = 2; nth < 20 && colony.count(/says 4712 4713 4714/) === 0; nth++) {
    colony.send({ type: "RESTART", name: "web" });
    await says(colony, "web", nth);
  }
  assertEquals(colony.count(/says 4712 4713 4714/), 1);
});

test("the monitor reports once what a config lacks, leaves its process running, and takes it when that is there", async () => {
  using dir = tempDir();
  const wrap = withFiles(dir, { ...ACCOUNTS, "/usr/bin/choom": "" });
  const web = saying("id -u", { user: "app" });
  await using colony = new Colony({ wrap, args: ["--frequency", "1"], config: { web, good: { args: ["cat"] } } });
  await says(colony, "web");
  const pid = await colony.started("web");
  const invalid = (reason: string) =>
    colony.waitFor(new RegExp(` WARN \\w+: invalid config: "ncolony\\.monitor\\.${reason}`));
  colony.put("web", saying("id -u", { user: "late" }));
  await invalid("user\" cannot be set: id: 'late': no such user; the last valid config stays in effect$");
  colony.put("one", saying("", { groups: ["late"] }));
  await invalid("groups\" cannot be set: setpriv: Invalid supplementary group id: 'late'$");
  colony.put("two", saying("", { oom_score_adj: 1 }));
  await invalid('oom_score_adj" cannot be set: /usr/bin/choom \\(util-linux\\) is missing$');
  colony.put("three", saying("", { umask: "0027" }));
  await invalid('umask" cannot be set: the monitor needs --allow-sys without a list$');
  await colony.fence();
  assertEquals([colony.count(/invalid config/), colony.pidsOf("web"), isAlive(pid)], [4, [pid], true]);
  dir.write("passwd", `${ACCOUNTS["/etc/passwd"]}late:x:4800:4800::/:/bin/sh\n`);
  assertEquals(await says(colony, "web", 2), "4800");
  await colony.waitFor(/INFO web: config is valid again$/);
  assertEquals(colony.count(/invalid config/), 4);
  assertEquals(colony.matching(/cannot start/), []);
});

test("the monitor reports a command that does not exist, and tries again, also as another user", async () => {
  const config = { args: ["/no/such/command"], "ncolony.monitor": { user: "app", nofile: 64 } };
  using dir = tempDir();
  await using colony = new Colony({ wrap: withFiles(dir, ACCOUNTS), config: { web: config } });
  const failed =
    /web: running -> stopping \(cannot start: command "\/no\/such\/command" .*: no such file or directory\)/;
  await colony.waitFor(failed, 2);
  assertEquals(colony.pidsOf("web"), []);
});

test("processes start as another user although the monitor's working directory is gone", async () => {
  using dir = tempDir();
  await using colony = new Colony({ wrap: ["sh", "-c", `cd '${dir.dir("own")}' && exec "$@"`, "sh"] });
  await colony.waitFor(/ kill scope /);
  Deno.removeSync(dir.file("own"));
  colony.put("none", saying("pwd", { user: "nobody" }));
  colony.put("usr", saying("pwd", { user: "nobody", cwd: "/usr" }));
  assertEquals([await says(colony, "none"), await says(colony, "usr")], ["/", "/usr"]);
});

test("--nofile limits the open files of every process whose config has no own limit", async () => {
  const config = {
    plain: saying("ulimit -Sn"),
    other: saying("ulimit -Sn", { nofile: 88 }),
    id: saying("ulimit -Sn; id -u", {}, { uid: 7, gid: 7 }),
  };
  await using colony = new Colony({ args: ["--nofile", "500"], config });
  assertEquals(await says(colony, "plain"), "500");
  assertEquals(await says(colony, "other"), "88");
  assertEquals(await says(colony, "id"), "500 7");
});

test("the monitor refuses --nofile beyond the hard limit, or without prlimit, in one line", async () => {
  using dir = tempDir();
  const places = ["--config", dir.dir("config"), "--messages", dir.dir("messages"), "--nofile", "501"];
  const monitor = [...toolCommand("monitor/mod.ts", MONITOR_PERMISSIONS), ...places];
  const limited = await run(["prlimit", "--nofile=500:500", ...monitor]);
  assertEquals([limited.code, limited.stderr], [
    1,
    "ncolony-monitor: a limit of 501 open files cannot be set: prlimit: the soft limit NOFILE cannot exceed the hard limit\n",
  ]);
  const bare = await run([...withFiles(dir, { "/usr/bin/prlimit": "" }), ...monitor]);
  assertEquals([bare.code, bare.stderr], [
    1,
    "ncolony-monitor: a limit of 501 open files cannot be set: /usr/bin/prlimit (util-linux) is missing\n",
  ]);
});

test("a monitor stops what a killed one left running as the user of a config", async () => {
  using dir = tempDir();
  const config = { web: saying("id -u", { user: "app" }, { env: { PLACE: dir.path } }) };
  const wrap = withFiles(dir, ACCOUNTS);
  await using first = new Colony({ wrap, config, permissions: ["-A"] });
  const old = await first.started("web");
  await says(first, "web");
  first.process.kill("SIGKILL");
  await first.process.status;
  assertEquals(isAlive(old), true);
  // It knows the process by its name and its config.
  await using second = new Colony({ wrap, config, permissions: ["-A"] });
  await second.waitFor(new RegExp(`web: gone -> stopping \\(left running by a previous monitor: pid ${old}\\)`));
  await second.started("web");
  await gone(old);
});
