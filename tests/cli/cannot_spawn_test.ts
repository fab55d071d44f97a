import { assert, assertEquals, assertGreaterOrEqual, assertLess, assertLessOrEqual } from "@std/assert";
import { basename } from "@std/path";
import { isAlive } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { hasCommand, IS_ROOT, rested, run, sh, timeOf } from "./tools.ts";

const CAT = { args: ["cat"] };

/** A user that runs nothing else. */
const STRANGER = 20_000 + Deno.pid % 20_000;

/** Waits for the nth failed start of a process and the delay after it. Checks that the delay is the doubled second. */
async function failed(colony: Colony, name: string, reason: string, nth: number): Promise<void> {
  await colony.waitFor(new RegExp(` WARN ${name}: running -> stopping \\(cannot start: .*${reason}`), nth);
  const delay = 2 ** (nth - 1);
  const wait = await colony.waitFor(new RegExp(`${name}: stopping -> waiting for ([\\d.]+) s `), nth);
  assertLessOrEqual(Number(wait[1]), delay);
  assertGreaterOrEqual(Number(wait[1]), delay / 2);
}

/** Waits until each process runs or failed to start. Returns the names of both kinds. */
async function outcome(colony: Colony, names: readonly string[]): Promise<[running: string[], failed: string[]]> {
  const failed = (name: string) => colony.count(new RegExp(` ${name}: running -> stopping \\(cannot start`)) > 0;
  const running = (name: string) => colony.pidsOf(name).length > 0;
  await colony.until("all ran or failed", () => names.every((name) => running(name) || failed(name)));
  return [names.filter(running), names.filter(failed)];
}

Deno.test("the monitor logs why a program cannot be executed, and starts it once the cause is gone", async () => {
  await using colony = new Colony({ config: { web: CAT } });
  const [plain, busy, loop] = ["plain", "busy", "loop"].map((name) => colony.dir.file(name));
  for (const path of [plain, busy]) Deno.writeTextFileSync(path, "#!/bin/sh\nexec cat\n", { mode: 0o755 });
  Deno.chmodSync(plain, 0o644);
  Deno.symlinkSync(loop, loop);
  const writer = Deno.openSync(busy, { append: true });
  try {
    for (const path of [plain, busy, loop]) colony.put(basename(path), { args: [path] });
    await failed(colony, "plain", "permission denied", 1);
    await failed(colony, "busy", "text file busy", 1);
    await failed(colony, "loop", "too many levels of symbolic links", 1);
  } finally {
    writer.close();
  }
  Deno.chmodSync(plain, 0o755);
  Deno.removeSync(loop);
  Deno.symlinkSync(plain, loop);
  const pids = await Promise.all(["plain", "busy", "loop", "web"].map((name) => colony.started(name)));
  assert(pids.every(isAlive));
  assertEquals(colony.pidsOf("web").length, 1);
});

Deno.test("the monitor reports arguments that the system refuses, and retries at once when they change", async () => {
  // All arguments and variables together may fill a fourth of the stack.
  await using colony = new Colony({ wrap: sh('ulimit -s 1400; exec "$@"').concat("sh"), config: { web: CAT } });
  colony.put("big", { args: ["true", ...Array(43_600).fill("")] });
  await failed(colony, "big", "argument list too long", 1);
  await failed(colony, "big", "argument list too long", 2);
  await rested();
  colony.put("big", { args: ["cat", ...Array(1000).fill("-")] });
  await colony.waitFor(/big: waiting -> running \(config changed\), pid/);
  assertEquals([colony.pidsOf("big"), colony.pidsOf("web")].flat().map(isAlive), [true, true]);
});

Deno.test({
  name: "a process beyond its user's process limit waits until others of that user have exited",
  ignore: !IS_ROOT || !hasCommand("prlimit"),
  fn: async () => {
    const stranger = { args: ["cat"], uid: STRANGER, gid: STRANGER };
    const names = ["a", "b", "c", "d"];
    await using colony = new Colony({ wrap: ["prlimit", "--nproc=1:1"], config: { web: CAT } });
    for (const name of names) colony.put(name, stranger);
    // The kernel counts the processes that existed before the new one.
    const [running, waiting] = await outcome(colony, names);
    assertEquals([running.length, waiting.length], [2, 2]);
    for (const name of waiting) await failed(colony, name, "resource temporarily unavailable", 1);
    await failed(colony, waiting[0]!, "resource temporarily unavailable", 2);
    for (const name of running) colony.remove(name);
    for (const name of waiting) await colony.started(name);
    assertEquals(colony.pidsOf("web").map(isAlive), [true]);
  },
});

// A child holds two to four descriptors, and twice as many while it starts, so each limit leaves a different remainder.
for (const limit of [64, 65, 66, 67]) {
  Deno.test({
    name: `a process without free file descriptors waits until others have exited, with a limit of ${limit}`,
    ignore: !hasCommand("prlimit"),
    fn: async () => {
      const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
      await using colony = new Colony({ wrap: ["prlimit", `--nofile=${limit}:${limit}`] });
      colony.put("web", CAT);
      const web = await colony.started("web");
      for (const name of names) colony.put(name, CAT);
      const [running, waiting] = await outcome(colony, names);
      assert(running.length > 0 && waiting.length > 0, `${running}`);
      // A process that retries just when a descriptor is free may get it. The retry after that is two seconds later.
      for (const name of waiting) await failed(colony, name, "too many open files", 2);
      colony.send({ type: "RESTART", name: "web" });
      await colony.started("web", 2);
      assertEquals(running.flatMap((name) => colony.pidsOf(name)).map(isAlive), running.map(() => true));
      assertEquals(isAlive(web), false);
      for (const name of [...running, ...waiting.slice(1)]) colony.remove(name);
      assertEquals(isAlive(await colony.started(waiting[0]!)), true);
      assertEquals(await colony.stop(), 0);
    },
  });
}

Deno.test({
  name: "a monitor that cannot open files logs that once, keeps all processes running, and goes on when it can",
  ignore: !hasCommand("prlimit"),
  fn: async () => {
    const ticker = { args: sh("while :; do echo tick; sleep 0.1; done") };
    await using colony = new Colony({ args: ["--frequency", "0.1"], config: { web: CAT, db: CAT, ticker } });
    const pids = await Promise.all(["web", "db", "ticker"].map((name) => colony.started(name)));
    const limit = async (soft: number) => {
      const { code, stderr } = await run(["prlimit", "--pid", `${colony.process.pid}`, `--nofile=${soft}:`]);
      assertEquals([code, stderr], [0, ""]);
    };
    await limit(3);
    await colony.waitFor(
      / ERROR cannot read the config directory .*: too many open files; running processes keep running$/,
    );
    await colony.waitFor(
      / ERROR cannot read the messages directory .*: too many open files; no restart can be requested$/,
    );
    colony.put("late", CAT);
    colony.remove("db");
    colony.send({ type: "RESTART", name: "web" });
    // Lets several full scans pass.
    await colony.waitFor(/tick/, colony.count(/tick/) + 5);
    assertEquals(pids.map(isAlive), [true, true, true]);
    await limit(1000);
    await colony.started("late");
    await colony.started("web", 2);
    await colony.waitFor(/db: stopping -> gone/);
    assertEquals(colony.count(/ ERROR cannot read the config directory/), 1);
    assertEquals(colony.count(/ INFO the config directory .* can be read again/), 1);
  },
});

Deno.test("without a least delay, a failed start still waits a second, but a crash does not", async () => {
  const config = { missing: { args: ["/no/such/command"] }, quick: { args: ["sleep", "0.01"] } };
  await using colony = new Colony({ args: ["-m", "0", "-M", "0", "-t", "1000"], config });
  const failure = / WARN missing: running -> stopping \(cannot start: /;
  const times = [];
  for (let nth = 1; nth <= 3; nth++) times.push(timeOf((await colony.waitFor(failure, nth)).input));
  assertGreaterOrEqual(times[1]! - times[0]!, 900, `${times}`);
  assertGreaterOrEqual(times[2]! - times[1]!, 900, `${times}`);
  const seen = colony.count(failure);
  // At most twenty starts are possible in two seconds.
  const quick = colony.pidsOf("quick").length;
  await colony.started("quick", quick + 5);
  assertLess(6, quick);
  assertLessOrEqual(colony.count(failure), seen + 1);
  const starts = colony.lines.filter((line) => / quick: .*-> running /.test(line)).map((line) =>
    Date.parse(line.slice(0, 24))
  );
  // A start is logged a little after it happened.
  assertGreaterOrEqual(starts.at(-1)! - starts[0]!, 100 * (starts.length - 1) - 100, `${starts}`);
});
