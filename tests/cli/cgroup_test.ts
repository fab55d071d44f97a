import { assertEquals, assertMatch } from "@std/assert";
import { until } from "../helpers.ts";
import { ALL, cgroupsOf, endAll, HAS_CGROUPS, namesBelow, running, uniqueSleep, untilRunning } from "./escapes.ts";
import { Colony, type ColonyOptions } from "./harness.ts";
import { IS_ROOT, run, sh, toolCommand } from "./tools.ts";

const ENV = { PATH: "/bin:/usr/bin" };

function test(name: string, fn: (sleep: string) => Promise<void>): void {
  const ignore = !HAS_CGROUPS || !IS_ROOT;
  Deno.test({
    name: `${name}${ignore ? " (skipped: needs cgroups, or root)" : ""}`,
    ignore,
    fn: async () => {
      const sleep = uniqueSleep();
      try {
        await fn(sleep);
      } finally {
        await endAll(sleep);
      }
    },
  });
}

/** Returns the words that make a monitor's command run after a shell script. */
function after(script: string): string[] {
  return [...sh(`${script} && exec "$@"`), "sh"];
}

/** Starts a monitor that may do everything. */
function colonyWith(options: ColonyOptions = {}): Colony {
  return new Colony({ permissions: ALL, args: ["--killtime", "0.5"], ...options });
}

test("the monitor removes the cgroup of each start that failed, and of each process that ended", async (sleep) => {
  await using colony = colonyWith({ args: ["-m", "0", "-M", "0"] });
  const cgroups = await cgroupsOf(colony);
  colony.put("bad", { args: ["/no/such/command"] });
  colony.put("good", { args: sleep.split(" "), env: ENV });
  await colony.waitFor(/WARN bad: .*no such file/, 3);
  colony.remove("bad");
  await colony.waitFor(/INFO bad: .* -> gone /);
  // That of the process, which has its name below it, and that in which the monitor waits.
  const depths = async () =>
    (await namesBelow(cgroups)).map((path) => path.slice(cgroups.length).split("/").length - 1);
  await until("two are left", async () => (await depths()).sort().join() === "1,1,2");
  assertEquals(await colony.stop(), 0);
  assertEquals((await run(["test", "-e", cgroups])).code, 1);
});

test("a process that makes cgroups of its own ends with them", async (sleep) => {
  await using colony = colonyWith();
  const cgroups = await cgroupsOf(colony);
  const own = `$(sed -n 's/^0:://p' /proc/self/cgroup)`;
  const mount = cgroups.slice(0, cgroups.indexOf("/ncolony:"));
  const script = `cd "${mount}${own}" && mkdir a a/b && echo $$ > a/b/cgroup.procs && exec ${sleep}`;
  for (let nth = 1; nth <= 2; nth++) {
    colony.put("web", { args: sh(script), env: ENV, version: nth });
    await colony.started("web", nth);
    await untilRunning(sleep, 1);
    await until("it moved", async () => (await namesBelow(cgroups)).some((path) => path.endsWith("/a/b")));
  }
  colony.remove("web");
  await colony.waitFor(/INFO web: stopping -> gone /);
  assertEquals(await running(sleep), []);
  assertEquals((await namesBelow(cgroups)).length, 1);
});

test("each process of a cgroup gets the stop signal and SIGCONT once, whatever its session", async () => {
  await using colony = colonyWith({ args: ["--killtime", "20"] });
  const noting = (who: string) => `trap 'echo ${who} term' TERM; trap 'echo ${who} cont' CONT; echo ${who} ready`;
  const loop = "while [ ! -e done ]; do sleep 0.05; done";
  const inner = colony.dir.write("other.sh", `${noting("other")}\n${loop}\n`);
  const config = { args: sh(`setsid sh ${inner} & ${noting("leader")}; ${loop}; wait`), env: ENV };
  colony.put("web", { ...config, "ncolony.monitor": { cwd: colony.dir.path } });
  for (const who of ["leader", "other"]) await colony.waitFor(new RegExp(`^\\[web\\] ${who} ready$`));
  colony.remove("web");
  for (const who of ["leader", "other"]) await colony.waitFor(new RegExp(`^\\[web\\] ${who} cont$`));
  // Long enough for a second one.
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (const what of ["leader term", "leader cont", "other term", "other cont"]) {
    assertEquals(colony.count(new RegExp(`^\\[web\\] ${what}$`)), 1, what);
  }
  colony.dir.write("done", "");
  await colony.waitFor(/INFO web: stopping -> gone /);
});

test("each of several processes has a cgroup of its own, whatever their kill scopes", async (sleep) => {
  const own = `echo in $(sed -n 's/^0:://p' /proc/self/cgroup); exec ${sleep}`;
  const killScopes = ["all", "process", "group", "session", "all", "process", "all"];
  const config = Object.fromEntries(
    killScopes.map((killScope, n) => [
      `${killScope}${n}`,
      { args: sh(own), env: ENV, "ncolony.monitor": { kill_scope: killScope } },
    ]),
  );
  await using colony = colonyWith({ config });
  const names = Object.keys(config);
  const cgroups = await Promise.all(
    names.map(async (name) => (await colony.waitFor(RegExp(`^\\[${name}\\] in (.*)$`)))[1]),
  );
  assertEquals(new Set(cgroups).size, names.length, cgroups.join("\n"));
  for (const [n, name] of names.entries()) {
    colony.remove(name);
    await colony.waitFor(RegExp(`INFO ${name}: stopping -> gone `));
    assertEquals((await running(sleep)).length, names.length - n - 1);
  }
  assertEquals(colony.matching(/WARN|ERROR/), []);
});

test("a second monitor with the same configs and other messages ends nothing of the first one", async (sleep) => {
  await using colony = colonyWith({ config: { web: { args: sh(`exec ${sleep}`), env: ENV } } });
  const pid = await colony.started("web");
  await using other = colonyWith({ args: ["--config", colony.config] });
  await other.started("web");
  await untilRunning(sleep, 2);
  assertEquals([other.count(/left running/), (await running(sleep)).includes(pid)], [0, true]);
  assertEquals(await other.stop(), 0);
  assertEquals(await running(sleep), [pid]);
});

test("a monitor that can make no more cgroups ends sessions instead, until it can again", async (sleep) => {
  await using colony = colonyWith();
  const cgroups = await cgroupsOf(colony);
  const allow = (count: string) => run(sh(`echo ${count} > '${cgroups}/cgroup.max.descendants'`));
  await allow("1");
  // The monitor cannot leave its cgroup, so cgroup.kill would kill the monitor too.
  colony.put("first", { args: sh(`trap '' TERM; while :; do ${sleep}; done`), env: ENV });
  await colony.started("first");
  await untilRunning(sleep, 1);
  colony.put("second", { args: sh(`${sleep} & wait`), env: ENV });
  await colony.waitFor(/WARN second: it has no cgroup of its own: .*; its session is ended instead$/);
  await untilRunning(sleep, 2);
  colony.remove("first");
  await colony.waitFor(/INFO first: .* -> gone /);
  assertEquals([(await running(sleep)).length, colony.count(/second: (running|ended)/)], [1, 0]);
  colony.put("daemon", { args: ["true"], env: ENV, "ncolony.monitor": { daemonizes: true } });
  await colony.waitFor(/WARN daemon: .*cannot start: it cannot have a cgroup of its own: /);
  for (const name of ["second", "daemon"]) colony.remove(name);
  for (const name of ["second", "daemon"]) await colony.waitFor(new RegExp(`INFO ${name}: .* -> gone `));
  assertEquals(await running(sleep), []);
  await allow("max");
  colony.put("third", { args: sh(`setsid ${sleep} & exec sleep 1000`), env: ENV });
  await colony.started("third");
  await untilRunning(sleep, 1);
  colony.remove("third");
  await colony.waitFor(/INFO third: stopping -> gone /);
  assertEquals(await running(sleep), []);
  assertEquals(await colony.stop(), 0);
  assertEquals((await run(["test", "-e", cgroups])).code, 1);
});

test("a monitor under a monitor has its cgroups in its own, and ends with everything in them", async (sleep) => {
  await using colony = colonyWith();
  const cgroups = await cgroupsOf(colony);
  const [config, messages] = [colony.dir.dir("inner-config"), colony.dir.dir("inner-messages")];
  Deno.writeTextFileSync(`${config}/web`, JSON.stringify({ args: sh(`setsid ${sleep} & exec sleep 1000`), env: ENV }));
  const inner = [...toolCommand("monitor/mod.ts", ALL), "--config", config, "--messages", messages];
  colony.put("inner", {
    args: inner,
    env_inherit: Object.keys(Deno.env.toObject()).filter((name) => /^(HOME|PATH|DENO_|JSR_|XDG_)/.test(name)),
  });
  await colony.waitFor(new RegExp(`^\\[inner\\] .*, kill scope cgroup \\(${cgroups}/.*/ncolony:.*\\)$`));
  await untilRunning(sleep, 1);
  Deno.kill(await colony.started("inner"), "SIGKILL");
  await colony.waitFor(/^\[inner\] .*, kill scope cgroup /, 2);
  await untilRunning(sleep, 1);
  colony.remove("inner");
  await colony.waitFor(/INFO inner: .* -> gone /);
  assertEquals(await running(sleep), []);
  assertEquals((await namesBelow(cgroups)).length, 1);
});

test("a config with a limit whose controller the monitor may not use is invalid", async () => {
  await using colony = colonyWith();
  await cgroupsOf(colony);
  // Here the controllers are used by cgroup v1, or the monitor is in the root cgroup with other programs.
  if (
    (await run(sh(`grep -q memory "$(awk '/ - cgroup2 /{print $5}' /proc/self/mountinfo)/cgroup.controllers"`)))
      .code === 0
  ) return;
  for (const [key, value] of Object.entries({ memory: "512M", cpu: 1.5, pids: 200 })) {
    colony.put(key, { args: ["cat"], "ncolony.monitor": { limits: { [key]: value } } });
    await colony.waitFor(
      new RegExp(
        `WARN ${key}: invalid config: "ncolony.monitor.limits.${key}" cannot be limited: the ${key} controller `,
      ),
    );
  }
});

for (
  const [what, script, why] of [
    [
      "is mounted read-only",
      `mount -o remount,bind,ro "$(awk '/ - cgroup2 /{print $5}' /proc/self/mountinfo)"`,
      /cgroup v2 is mounted read-only, as is usual in containers/,
    ],
    [
      "is not mounted",
      `umount "$(awk '/ - cgroup2 /{print $5}' /proc/self/mountinfo)"`,
      /cgroup v2 is not mounted/,
    ],
  ] as const
) {
  test(`the monitor logs at its start that cgroup v2 ${what}, and ends sessions`, async () => {
    await using colony = colonyWith({ wrap: ["unshare", "--mount", ...after(script)] });
    const [, scope] = await colony.waitFor(/, kill scope (.*)$/);
    assertMatch(scope!, /^session \(/);
    assertMatch(scope!, why);
    colony.put("web", { args: ["cat"], "ncolony.monitor": { kill_scope: "cgroup" } });
    await colony.waitFor(
      /WARN web: invalid config: "ncolony.monitor.kill_scope" "cgroup" is not available: cgroup v2 is /,
    );
  });
}

test("the monitor does not use a cgroup that another user may change", async () => {
  const mount = (await run(sh(`awk '/ - cgroup2 /{print $5}' /proc/self/mountinfo`))).stdout.trim();
  const cgroup = `${mount}/ncolony-test-${Deno.pid}`;
  await run(sh(`mkdir '${cgroup}' && chown 65534 '${cgroup}'`));
  try {
    await using colony = colonyWith({ wrap: after(`echo $$ > '${cgroup}/cgroup.procs'`) });
    const [, scope] = await colony.waitFor(/, kill scope (.*)$/);
    assertMatch(scope!, /^session \(users other than root and the current user may change .*ncolony-test-/);
    assertEquals(await colony.stop(), 0);
  } finally {
    await run(["rmdir", cgroup]);
  }
});

Deno.test("--kill-scope is the widest kill scope, and a config that asks for a wider one is invalid", async () => {
  await using colony = new Colony({ args: ["--kill-scope", "group"] });
  await colony.waitFor(/, kill scope group \(--kill-scope is group\)/);
  colony.put("web", { args: ["cat"], "ncolony.monitor": { kill_scope: "session" } });
  await colony.waitFor(/WARN web: .*"ncolony.monitor.kill_scope" "session" is not available: --kill-scope is group$/);
  colony.put("web", { args: ["cat"], "ncolony.monitor": { kill_scope: "process" } });
  await colony.started("web");
});
