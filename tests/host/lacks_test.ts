/** What a machine, or the permissions of a program, lack is found out before a config is used. */

import { assertEquals } from "@std/assert";
import { lackOf } from "../../host/children/surroundings.ts";
import { sample } from "../core/samples.ts";
import { NOBODY } from "./actors.ts";
import { replace } from "./fakes.ts";
import { inNamespace, report, reportAmong, shell, test } from "./surrounding.ts";

/** Configs that need one program each, and the key that needs it. */
const NEEDING = [
  ["setpriv", "ncolony.monitor.user", shell("", { user: "app" })],
  ["setpriv", "ncolony.monitor.groups", shell("", { groups: [7] })],
  ["setpriv", "uid", shell("", { nofile: 64 }, { uid: 1 })],
  ["setpriv", "gid", shell("", { nofile: 64 }, { gid: 1 })],
  ["id", "ncolony.monitor.user", shell("", { user: "app" })],
  ["nice", "ncolony.monitor.nice", shell("", { nice: 5 })],
  ["choom", "ncolony.monitor.oom_score_adj", shell("", { oom_score_adj: 5 })],
  ["prlimit", "ncolony.monitor.nofile", shell("", { nofile: 64 })],
  ["env", "ncolony.monitor.cwd", shell("", { groups: [7], cwd: "/no/such" })],
  ["env", "env", shell("", { nofile: 64 }, { env: { LD_PRELOAD: "/no/such" } })],
  ["env", "env", shell("", { nofile: 64 }, { env_inherit: ["LD_PRELOAD"] })],
] as const;

const PACKAGES: Readonly<Record<string, string>> = {
  setpriv: "util-linux",
  choom: "util-linux",
  prlimit: "util-linux",
};

/** Returns what a field lacks for this reason. */
function lack(field: string, why: string): NonNullable<ReturnType<typeof lackOf>> {
  return { field, reason: `"${field}" cannot be set: ${why}` };
}

test("lackOf() finds nothing where every program is installed", async () => {
  const { lacks } = await reportAmong({}, { lacks: NEEDING.map(([, , config]) => config) });
  assertEquals(lacks, NEEDING.map(() => null));
});

for (const tool of new Set(NEEDING.map(([tool]) => tool))) {
  test(`lackOf() names the key that needs ${tool}, if that is missing or no program`, async () => {
    const needing = NEEDING.filter(([its]) => its === tool);
    const { lacks } = await reportAmong({ [`/usr/bin/${tool}`]: "" }, { lacks: needing.map(([, , config]) => config) });
    const why = `/usr/bin/${tool} (${PACKAGES[tool] ?? "coreutils"}) is missing`;
    assertEquals(lacks, needing.map(([, field]) => lack(field, why)));
  });
}

test("lackOf() says which package has what the programs of BusyBox cannot do", async () => {
  const busybox = (await new Deno.Command("sh", { args: ["-c", "command -v busybox"] }).output()).stdout;
  const path = new TextDecoder().decode(busybox).trim();
  const places = ["setpriv", "env", "id"].flatMap((tool) => [path, `/usr/bin/${tool}`]);
  const [user, cwd] = [shell("", { user: "nobody" }), shell("", { nofile: 64, cwd: "/" }, { uid: 0 })];
  const { lacks: [noUser] } = await report({ lacks: [user] }, inNamespace(places));
  const { lacks: [noCwd] } = await report({ lacks: [cwd] }, inNamespace(places.slice(2)));
  assertEquals(
    noUser,
    lack("ncolony.monitor.user", "/usr/bin/setpriv is BusyBox's, which cannot do that: install util-linux"),
  );
  assertEquals(
    noCwd,
    lack("ncolony.monitor.cwd", "/usr/bin/env is BusyBox's, which cannot do that: install coreutils"),
  );
}, "busybox");

test("lackOf() finds a user or group that does not exist, and knows one that was created later", async () => {
  const configs = [
    shell("", { user: "nosuch" }),
    shell("", { groups: ["root", "nosuch"] }),
    shell("", { user: "app" }),
  ];
  const [noUser, noGroup, noApp] = (await report({ lacks: configs })).lacks;
  assertEquals(noUser, lack("ncolony.monitor.user", "id: 'nosuch': no such user"));
  assertEquals(noGroup, lack("ncolony.monitor.groups", "setpriv: Invalid supplementary group id: 'nosuch'"));
  assertEquals(noApp, lack("ncolony.monitor.user", "id: 'app': no such user"));
  assertEquals((await reportAmong({}, { lacks: configs })).lacks[2], null);
});

test("lackOf() finds what only root may do, if this program is no root", async () => {
  const configs = [
    shell("", { user: "root" }),
    shell("", { groups: [7] }),
    shell("", { user: "nobody", groups: [7] }),
    shell("", { nofile: 64 }, { uid: 1 }),
    shell("", { nice: -1 }),
    shell("", { oom_score_adj: -1 }),
  ];
  const { lacks } = await report({ uid: NOBODY, lacks: configs });
  const refused = "Operation not permitted; the monitor does not run as root";
  const denied = "Permission denied; the monitor does not run as root";
  assertEquals(lacks, [
    lack("ncolony.monitor.user", `setpriv: setresuid failed: ${refused}`),
    lack("ncolony.monitor.groups", `setpriv: setgroups failed: ${refused}`),
    lack("ncolony.monitor.groups", `setpriv: setresgid failed: ${refused}`),
    lack("uid", `setpriv: setresuid failed: ${refused}`),
    lack("ncolony.monitor.nice", `nice: cannot set niceness: ${denied}`),
    lack("ncolony.monitor.oom_score_adj", `choom: failed to set score adjust value: ${denied}`),
  ]);
});

test("lackOf() finds what a root without all capabilities may not do", async () => {
  const configs = [shell("", { nice: -1 }), shell("", { oom_score_adj: -1 }), shell("", { user: "nobody" })];
  const rights = "-sys_nice,-sys_resource,-setuid";
  const { lacks } = await report({ lacks: configs }, [
    "setpriv",
    `--bounding-set=${rights}`,
    `--inh-caps=${rights}`,
  ]);
  assertEquals(lacks, [
    lack("ncolony.monitor.nice", "nice: cannot set niceness: Permission denied"),
    lack("ncolony.monitor.oom_score_adj", "choom: failed to set score adjust value: Permission denied"),
    lack("ncolony.monitor.user", "setpriv: setresuid failed: Operation not permitted"),
  ]);
});

test("lackOf() finds a limit of open files that is more than the hard limit", async () => {
  const { lacks } = await report({ lacks: [300, 301].map((nofile) => shell("", { nofile })) }, [
    "prlimit",
    "--nofile=300:300",
  ]);
  const why = "prlimit: the soft limit NOFILE cannot exceed the hard limit";
  assertEquals(lacks, [null, lack("ncolony.monitor.nofile", why)]);
});

test("lackOf() finds a limit of open files with which no program can start", async () => {
  const { lacks: [found] } = await report({ lacks: [shell("", { nofile: 3 })] });
  assertEquals(found?.field, "ncolony.monitor.nofile");
});

Deno.test("lackOf() finds that the permission for a umask is missing", () => {
  const config = { "ncolony.monitor": { umask: "0027" } };
  assertEquals(
    lackOf(sample("web", config)),
    lack("ncolony.monitor.umask", "the monitor needs --allow-sys without a list"),
  );
});

Deno.test("lackOf() runs nothing and looks at nothing for a config without surroundings", () => {
  using _stat = replace(Deno, "statSync", () => {
    throw new Error("looks");
  });
  const none = class {
    constructor() {
      throw new Error("runs");
    }
  } as unknown as typeof Deno.Command;
  using _command = replace(Deno, "Command", none);
  const config = { uid: 33, gid: 33, env: { LD_PRELOAD: "/x.so" }, "ncolony.monitor": { cwd: "/srv", groups: [] } };
  assertEquals(lackOf(sample("web", config)), null);
});
