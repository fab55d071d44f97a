import { assertEquals } from "@std/assert";
import { isAlive, tempDir } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { canPreload, preload } from "./preload.ts";
import {
  BEYOND_LIMIT,
  gone,
  hasCommand,
  IS_ROOT,
  LIMITED,
  namesIn,
  place,
  run,
  sh,
  signalIfThere,
  timeOf,
} from "./tools.ts";

const CAT = { args: ["cat"] };

/** Checks, by pid files only, that the monitor restarts a process on request, and that all processes exit in order. */
async function assertSupervises(colony: Colony, name: string): Promise<void> {
  const pids = [await colony.pidFile(name)];
  for (let round = 0; round < 2; round++) {
    colony.send({ type: "RESTART", name });
    pids.push(await colony.pidFile(name, pids.at(-1)));
    assertEquals(isAlive(pids.at(-1)!), true);
  }
  assertEquals(await colony.stop(), 0);
  await gone(...pids);
  assertEquals(namesIn(colony.pids), []);
}

const CAN_PRELOAD = await canPreload();

/** Returns the time of the last log line, in days after the current time. */
function daysAhead(colony: Colony): number {
  return Math.round((timeOf(colony.stderr.lines.at(-1)!) - Date.now()) / 86_400_000);
}

Deno.test({
  name: "a wall clock that jumps by a day starts nothing early, delays nothing, and kills nothing",
  ignore: !CAN_PRELOAD,
  fn: async () => {
    using dir = tempDir();
    const stubborn = { args: sh("trap '' TERM; echo ready; exec sleep 1000") };
    await using colony = new Colony({
      args: ["-m", "0.5", "-M", "100", "-k", "1000"],
      env: await preload(dir.path),
      config: { web: CAT, db: CAT, stubborn, quick: { args: ["true"] }, patient: { args: ["true"] } },
    });
    await colony.waitFor(/^\[stubborn\] ready$/);
    // Each restart on request doubles the delay after it.
    for (let nth = 1; nth < 8; nth++) {
      await colony.waitFor(/ patient: stopping -> waiting /, nth);
      colony.send({ type: "RESTART", name: "patient" });
    }
    await colony.waitFor(/ patient: stopping -> waiting for 6[\d.]+ s /);
    colony.remove("stubborn");
    await colony.waitFor(/stubborn: running -> stopping/);
    const [db, kept] = [await colony.started("db"), await colony.started("stubborn")];
    let webs = 1;
    for (const [shift, days] of [["86400", 1], ["-86400", -1]] as const) {
      // The second delay after a change begins before the jump, and ends after it.
      const quick = colony.pidsOf("quick").length;
      colony.put("quick", { args: ["true"], shift });
      await colony.started("quick", quick + 2);
      await colony.waitFor(/ quick: stopping -> waiting /, quick + 2);
      place(dir.path, "shift", shift);
      await colony.started("quick", quick + 3);
      colony.send({ type: "RESTART", name: "web" });
      await colony.started("web", ++webs);
      await colony.fence();
      assertEquals(daysAhead(colony), days);
    }
    assertEquals([db, kept].map(isAlive), [true, true]);
    assertEquals([colony.pidsOf("db"), colony.pidsOf("patient").length], [[db], 8]);
    assertEquals(colony.matching(/after \d{4,}[\d.]* s|waiting for -/), []);
    signalIfThere(kept, "SIGKILL");
    await colony.waitFor(/stubborn: stopping -> gone/);
    assertEquals(await colony.stop(), 0);
  },
});

Deno.test({
  name: "a config that cannot be read for a while is read once it can be, even if it is unchanged",
  ignore: !CAN_PRELOAD,
  fn: async () => {
    using dir = tempDir();
    // By this clock every file is old, so none is read again just because it is recent.
    dir.write("shift", "86400");
    dir.write("fault", "");
    await using colony = new Colony({
      args: ["--frequency", "0.1"],
      env: await preload(dir.path),
      config: { web: CAT, flaky: CAT },
    });
    await colony.waitFor(/ WARN flaky: invalid config: .*(?:input\/output error|i\/o error)$/);
    await colony.started("web");
    await colony.fence();
    assertEquals([colony.count(/invalid config/), colony.pidsOf("flaky")], [1, []]);
    Deno.removeSync(dir.file("fault"));
    await colony.started("flaky");
  },
});

for (const streams of [">&-", "2>&-", ">&- 2>&-", "> /dev/full 2> /dev/full"]) {
  Deno.test({
    name: `the monitor supervises processes that write if it was started with ${streams}`,
    ignore: streams.includes("/dev/full") && Deno.build.os !== "linux",
    fn: async () => {
      const chatty = { args: sh("trap exit TERM; while :; do echo out; echo err >&2; sleep 0.01; done") };
      await using colony = new Colony({ wrap: sh(`exec "$@" ${streams}`).concat("sh"), config: { chatty } });
      await assertSupervises(colony, "chatty");
      const told = ["out", "err"].filter((line) => colony.lines.includes(`[chatty] ${line}`));
      assertEquals(told, streams === ">&-" ? ["err"] : streams === "2>&-" ? ["out"] : []);
    },
  });
}

/** Returns a command that runs another one with a small file system of its own mounted on a directory. */
function onSmallDisk(directory: string, options: string): string[] {
  const script = `mount -t tmpfs -o ${options},mode=0755 none '${directory}' && exec "$@"`;
  return ["unshare", "--mount", ...sh(script), "sh"];
}

async function canMount(): Promise<boolean> {
  if (!IS_ROOT || !hasCommand("unshare")) return false;
  using dir = tempDir();
  return (await run([...onSmallDisk(dir.path, "size=64k"), "true"])).code === 0;
}

const CAN_MOUNT = await canMount();

Deno.test({
  name: "a full disk under --log-file stops nothing, is logged once, and is written again once there is room",
  ignore: !CAN_MOUNT || !hasCommand("nsenter"),
  fn: async () => {
    using disk = tempDir();
    const log = disk.file("log");
    await using colony = new Colony({ args: ["--log-file", log], wrap: onSmallDisk(disk.path, "size=64k") });
    const inside = (script: string) => run(["nsenter", "-t", `${colony.process.pid}`, "--mount", ...sh(script)]);
    colony.put("chatty", { args: sh("trap exit TERM; while :; do seq 1000; echo err >&2; sleep 0.01; done") });
    await colony.waitFor(/ ERROR cannot write to .*log: .*(ENOSPC|[Nn]o space).*; its output is lost$/);
    const first = await colony.pidFile("chatty");
    colony.send({ type: "RESTART", name: "chatty" });
    await colony.pidFile("chatty", first);
    assertEquals(colony.lines.length, 1);
    assertEquals((await inside(`: > '${log}'`)).code, 0);
    assertEquals((await inside(`while ! grep -q . '${log}'; do sleep 0.05; done`)).code, 0);
    await assertSupervises(colony, "chatty");
  },
});

for (const [what, options] of [["full", "nr_inodes=1"], ["read-only", "ro"]] as const) {
  Deno.test({
    name: `a pid directory on a ${what} file system stops nothing, and is logged once`,
    ignore: !CAN_MOUNT,
    fn: async () => {
      using disk = tempDir();
      const wrap = onSmallDisk(disk.path, options);
      await using colony = new Colony({ args: ["--pid", disk.path], wrap, config: { web: CAT, db: CAT } });
      const db = await colony.started("db");
      for (let nth = 2; nth <= 3; nth++) {
        colony.send({ type: "RESTART", name: "web" });
        await colony.started("web", nth);
      }
      await colony.waitFor(
        / WARN web: cannot keep the pid directory ".*" up to date: .*(ENOSPC|EROFS|[Nn]o space|[Rr]ead-only)/,
      );
      assertEquals([isAlive(db), colony.pidsOf("db")], [true, [db]]);
      assertEquals(await colony.stop(), 0);
      assertEquals(colony.count(/cannot keep the pid directory/), 1);
    },
  });
}

Deno.test("a file size limit that --log-file reaches stops nothing, and is logged once", async () => {
  using dir = tempDir();
  const log = dir.write("log", "");
  Deno.truncateSync(log, BEYOND_LIMIT);
  const chatty = { args: sh("trap exit TERM; while :; do echo out; echo err >&2; sleep 0.01; done") };
  await using colony = new Colony({ args: ["--log-file", log], wrap: LIMITED, config: { chatty } });
  await assertSupervises(colony, "chatty");
  assertEquals([colony.lines.length, colony.count(/ ERROR cannot write to .*log: .*; its output is lost$/)], [1, 1]);
});

Deno.test("a file size limit that stdout reaches stops nothing, and is logged once", async () => {
  using dir = tempDir();
  const out = dir.write("out", "");
  Deno.truncateSync(out, BEYOND_LIMIT);
  const chatty = { args: sh("trap exit TERM; while :; do echo out; sleep 0.01; done") };
  const wrap = [...LIMITED, ...sh('out=$1; shift; exec "$@" >> "$out"'), "sh", out];
  await using colony = new Colony({ wrap, config: { chatty } });
  await colony.waitFor(/ ERROR cannot write to stdout: .*; its output is lost$/);
  await assertSupervises(colony, "chatty");
  assertEquals(colony.count(/cannot write/), 1);
});

Deno.test("a file size limit diverts a log file's lines to the monitor's output, and ends a process by SIGXFSZ", async () => {
  using dir = tempDir();
  for (const name of ["chatty.log", "big"]) Deno.truncateSync(dir.write(name, ""), BEYOND_LIMIT);
  await using colony = new Colony({
    args: ["--logs", dir.path, "--log-size", "1000G"],
    wrap: LIMITED,
    config: {
      chatty: { args: sh("echo out; exec cat") },
      web: CAT,
      big: { args: sh(`echo more >> '${dir.file("big")}'`) },
    },
  });
  await colony.waitFor(
    / ERROR chatty: cannot write to ".*chatty.log": .*; the output of the process goes to the monitor's output$/,
  );
  await colony.waitFor(/^\[chatty\] out$/);
  await colony.waitFor(/ big: running -> .*SIGXFSZ/);
  await assertSupervises(colony, "web");
  assertEquals(colony.count(/cannot write/), 1);
});
