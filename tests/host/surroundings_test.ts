/** Children get the surroundings that their configs ask for. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { tempDir } from "../helpers.ts";
import { NOBODY } from "./actors.ts";
import { APP, report, reportAmong, shell, test } from "./surrounding.ts";

const IDS = "id -u; id -g; id -G";

/** Returns the lines that a config's child writes, among the accounts of the tests. */
async function linesOf(...[script, monitor, config]: Parameters<typeof shell>): Promise<string[]> {
  const { starts: [start] } = await reportAmong({}, { starts: [shell(script, monitor, config)] });
  assertEquals([start!.events, start!.stderr], [["leader-exited: exit code 0", "group-exited"], ""]);
  return start!.stdout.trimEnd().split("\n");
}

test("a child with a user has the uid, the group and the supplementary groups of that user", async () => {
  assertEquals(await linesOf(IDS, { user: "app" }), ["4711", "4712", "4712 4713"]);
});

test("a child has supplementary groups, by name and by id, in addition to those of its user", async () => {
  const groups = ["extra", 7];
  assertEquals(await linesOf(IDS, { user: "app", groups }), ["4711", "4712", "4712 7 4713 4714"]);
  assertEquals(await linesOf(IDS, { groups }), ["0", "0", "0 7 4714"]);
  assertEquals(await linesOf(IDS, { groups }, { uid: APP.uid, gid: 9 }), ["4711", "9", "9 7 4714"]);
  assertEquals(await linesOf(IDS, { groups }, { gid: 9 }), ["0", "9", "9 7 4714"]);
});

test("a child of another user has no capabilities", async () => {
  const [line] = await linesOf("grep CapEff /proc/self/status", { user: "app" });
  assertMatch(line!, /^CapEff:\s+0+$/);
});

test("a child with a umask has it, and this program has its own umask again", async () => {
  const umask = "0027";
  const starts = [shell("umask", { umask }), shell("umask", { umask, user: "app" }), { args: ["/no/such"] }];
  const { starts: [plain, other], umask: own } = await reportAmong({}, {
    starts: [...starts, { args: ["/no/such"], "ncolony.monitor": { umask } }],
  });
  assertEquals([plain!.stdout, other!.stdout, own], ["0027\n", "0027\n", 0o22]);
});

test("a child has the niceness of its config, whatever that of this program is", async () => {
  assertEquals(await linesOf("nice", { nice: 5 }), ["5"]);
  const starts = [0, 7, -3].map((nice) => shell("nice", { nice }));
  const reported = await report({ starts }, ["nice", "-n", "5"]);
  assertEquals(reported.starts.map(({ stdout }) => stdout), ["0\n", "7\n", "-3\n"]);
});

test("a child has the OOM score adjustment of its config", async () => {
  assertEquals(await linesOf("cat /proc/self/oom_score_adj", { oom_score_adj: 321 }), ["321"]);
});

test("a child has the soft limit of open files of its config, and the hard limit of this program", async () => {
  const { starts: [start] } = await report({ starts: [shell("ulimit -Sn; ulimit -Hn", { nofile: 77 })] }, [
    "prlimit",
    "--nofile=200:300",
  ]);
  assertEquals(start!.stdout, "77\n300\n");
});

test("a child leads its own group and session with the pid that is reported, and has all that its config asks for", async () => {
  const script =
    `read -r pid x x x group session x < /proc/self/stat; echo $(($$ == pid && $$ == group && $$ == session))
    ${IDS}; umask; nice; cat /proc/self/oom_score_adj; ulimit -Sn; pwd; echo $LD_LIBRARY_PATH $TMPDIR $TOKEN`;
  const monitor = {
    user: "app",
    groups: ["extra"],
    umask: "0077",
    nice: -1,
    oom_score_adj: 9,
    nofile: 64,
    cwd: "/usr",
  };
  const env = { LD_LIBRARY_PATH: "/no/such", TMPDIR: "/some where", TOKEN: "hunter2", PATH: "/usr/bin:/bin" };
  const config = shell(script, monitor, { env });
  // The second one is started by setsid(1).
  const { starts } = await reportAmong({}, { starts: [config, config] });
  const lines = [
    "1",
    "4711",
    "4712",
    "4712 4713 4714",
    "0077",
    "-1",
    "9",
    "64",
    "/usr",
    "/no/such /some where hunter2",
  ];
  for (const { stdout, stderr } of starts) assertEquals([stdout.trimEnd().split("\n"), stderr], [lines, ""]);
});

test("a child enters its directory as its user, and may not if only root can", async () => {
  using dir = tempDir();
  const starts = [{ user: "app" }, {}].map((other) => shell("pwd", { ...other, nofile: 64, cwd: dir.path }));
  const before = await reportAmong({}, { starts });
  assertEquals(before.starts.map(({ events, stdout }) => [events[0], stdout]), [
    ["leader-exited: exit code 125", ""],
    ["leader-exited: exit code 0", `${dir.path}\n`],
  ]);
  assertMatch(before.starts[0]!.stderr, /^\/usr\/bin\/env: cannot change directory to .*: Permission denied\n$/);
  Deno.chmodSync(dir.path, 0o755);
  assertEquals((await reportAmong({}, { starts })).starts[0]!.stdout, `${dir.path}\n`);
});

test("a child enters a directory that root may not enter, such as one on NFS", async () => {
  using dir = tempDir();
  Deno.chmodSync(dir.path, 0o755);
  const own = dir.dir("own");
  Deno.chmodSync(own, 0o700);
  Deno.chownSync(own, NOBODY, NOBODY);
  const rights = "-dac_override,-dac_read_search";
  const starts = ["/bin/pwd", "../own/script"].map((command) => {
    return { args: [command], "ncolony.monitor": { user: "nobody", cwd: own } };
  });
  Deno.chmodSync(dir.write("own/script", "#!/bin/sh\npwd"), 0o755);
  const reported = await report({ starts }, ["setpriv", `--bounding-set=${rights}`, `--inh-caps=${rights}`]);
  assertEquals(reported.starts.map(({ stdout }) => stdout), [`${own}\n`, `${own}\n`]);
});

test("a child that cannot be started is reported as without wrappers", async () => {
  using dir = tempDir();
  Deno.chmodSync(dir.path, 0o755);
  const plain = dir.write("plain", "#!/bin/sh\n");
  const commands = ["/no/such/command", "bare-but-missing", "./relative", plain, dir.path, join(plain, "below")];
  const configs = commands.flatMap((command) =>
    [{}, { nofile: 64 }].map((monitor) => ({ args: [command], "ncolony.monitor": monitor }))
  );
  const missing = [{}, { user: "app" }, { nofile: 64 }].map((monitor) => ({
    args: ["/bin/true"],
    "ncolony.monitor": { cwd: "/no/such", ...monitor },
  }));
  const { starts } = await reportAmong({}, { starts: [...configs, ...missing] });
  const reasons = starts.map(({ events: [first, ...rest] }) => {
    assertEquals(rest, ["group-exited"]);
    return first!.replace("leader-exited: cannot start: ", "");
  });
  for (const index of [0, 2, 4]) assertEquals(reasons[index + 1], reasons[index]);
  assertMatch(reasons[1]!, /^command "\/no\/such\/command" or its interpreter: no such file or directory$/);
  for (const index of [6, 7, 8, 9]) assertMatch(reasons[index]!, /^command .*: permission denied to execute it/);
  for (const index of [10, 11]) assertMatch(reasons[index]!, /: not a directory$/);
  const noDirectory = 'cwd "/no/such" is not a directory, or cannot be entered';
  assertEquals(reasons.slice(12), [noDirectory, noDirectory, noDirectory]);
});

test("a command whose path begins with - or contains = is no option or variable of a wrapper", async () => {
  using dir = tempDir();
  for (const name of ["-n", "a=b"]) {
    Deno.mkdirSync(dir.file(name));
    const path = dir.write(join(name, "it"), '#!/bin/sh\necho "$0"');
    Deno.chmodSync(path, 0o755);
  }
  const monitor = { nice: 1, cwd: dir.path };
  const { starts: [dash, equals, blocked] } = await report({
    starts: [
      { args: ["-n/it"], "ncolony.monitor": monitor },
      { args: ["a=b/it"], "ncolony.monitor": monitor },
      { args: ["a=b/it"], env: { LD_DEBUG: "" }, "ncolony.monitor": monitor },
    ],
  });
  assertEquals([dash!.stdout, equals!.stdout], ["./-n/it\n", "a=b/it\n"]);
  assertMatch(blocked!.events[0]!, /cannot start: command "a=b\/it" has a "=", and env\(1\) would take it/);
});

test("a program that is no root can have what needs no root, and the user that it already is", async () => {
  const monitor = { nice: 19, oom_score_adj: 400, nofile: 64 };
  const script = "nice; cat /proc/self/oom_score_adj; ulimit -Sn";
  const configs = [shell(script, monitor, { uid: NOBODY, gid: NOBODY }), shell(IDS, { user: "nobody" })];
  const { lacks, starts } = await report({ uid: NOBODY, lacks: configs, starts: configs }, [
    "setpriv",
    `--regid=${NOBODY}`,
    `--groups=${NOBODY}`,
  ]);
  assertEquals(lacks, [null, null]);
  assertEquals(starts.map(({ stdout }) => stdout), ["19\n400\n64\n", `${NOBODY}\n${NOBODY}\n${NOBODY}\n`]);
});

test("a name service that does not answer delays a start, which then fails, and the config is not blamed", async () => {
  const order = { lacks: [shell("", { user: "app" })], starts: [shell("", { user: "app" })] };
  const { lacks, starts } = await reportAmong({ "/usr/bin/id": "#!/bin/sh\nexec /bin/sleep 300\n" }, order);
  assertEquals(lacks, [null]);
  assert(starts[0]!.events[0]!.endsWith("cannot start: /usr/bin/id takes more than 5 s"), starts[0]!.events[0]);
});
