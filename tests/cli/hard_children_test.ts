import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { isAlive, tempDir } from "../helpers.ts";
import { Colony } from "./harness.ts";
import { gone, hasCommand, IS_ROOT, run, sh, signalIfThere, timeOf } from "./tools.ts";

const CAT = { args: ["cat"] };

/** A user that runs nothing else. */
const STRANGER = 40_000 + Deno.pid % 20_000;

/** Returns how many lines match `pattern` from the first that matches `first` until the next that matches `second`. */
function countBetween(colony: Colony, pattern: RegExp, first: RegExp, second: RegExp): number {
  const { lines } = colony.stderr;
  const start = lines.findIndex((line) => first.test(line));
  const length = lines.slice(start).findIndex((line) => second.test(line));
  assert(start >= 0 && length >= 0);
  return lines.slice(start, start + length).filter((line) => pattern.test(line)).length;
}

/** A script that prints who is alive in the process group that it led in its last run. */
const ROLL_CALL = `if read -r old < leader; then
  for stat in /proc/[0-9]*/stat; do
    read -r line < "$stat" && set -- \${line##*)} && [ "$3" = "$old" ] && [ "$1" != Z ] && echo "met $line"
  done
  echo alone
fi 2> /dev/null
echo $$ > leader`;

for (
  const [what, script] of [
    ["stay", "sleep 1000 & sleep 1000 &"],
    ["fork on and on", "chain() { sleep 0.01; chain & }; chain &"],
  ]
) {
  Deno.test(`grandchildren that ${what}, ignore SIGTERM and hold the pipes are gone before the next start`, async () => {
    await using colony = new Colony({ args: ["-k", "0.1"] });
    const start = `cd '${colony.dir.path}'; ${ROLL_CALL}; trap '' TERM; ${script} echo ready; exec cat`;
    colony.put("web", { args: sh(start) });
    await colony.waitFor(/^\[web\] ready$/);
    colony.send({ type: "RESTART", name: "web" });
    await colony.waitFor(/^\[web\] ready$/, 2);
    signalIfThere(await colony.started("web", 2), "SIGKILL");
    await colony.waitFor(/^\[web\] ready$/, 3);
    assertEquals(colony.lines.filter((line) => /^\[web\] (met|alone)/.test(line)), ["[web] alone", "[web] alone"]);
    // The log comes by another pipe than the output.
    await colony.waitFor(/web: stopping -> killing \(kill time expired\)/, 2);
  });
}

for (const [what, command] of [["holds", "sleep 1000"], ["floods", "yes"]] as const) {
  Deno.test({
    name: `a grandchild that ${what} the pipes from its own session delays neither a restart nor the end`,
    ignore: !hasCommand("setsid"),
    fn: async () => {
      await using colony = new Colony({ wrap: sh('exec "$@" > /dev/null').concat("sh") });
      const escaped: number[] = [];
      colony.put("web", { args: sh(`setsid sh -c 'echo "escaped $$" >&2; exec ${command}' & exec cat`) });
      try {
        for (let nth = 1; nth <= 2; nth++) {
          escaped.push(Number((await colony.waitFor(/^\[web\] escaped (\d+)/, nth))[1]));
          colony.send({ type: "RESTART", name: "web" });
          await colony.started("web", nth + 1);
        }
        if (what === "holds") assertEquals(escaped.map(isAlive), [true, true]);
        // No process reads the flood any more.
        else await gone(...escaped);
        await colony.waitFor(/^\[web\] escaped/, 3);
        assertEquals(await colony.stop(), 0);
      } finally {
        const told = colony.lines.map((line) => /^\[web\] escaped (\d+)/.exec(line)?.[1]);
        for (const pid of told.filter(Boolean)) signalIfThere(Number(pid), "SIGKILL");
      }
    },
  });
}

Deno.test("endless lines and 1 GiB of output do not hinder other restarts, and take little memory", async () => {
  await using colony = new Colony({
    wrap: sh('exec "$@" > /dev/null').concat("sh"),
    config: { web: CAT, endless: { args: sh("exec tr '\\0' x < /dev/zero") } },
  });
  const parts = (write: string) => sh(`for part in 1 2 3 4; do ${write}; echo "part $part" >&2; done; exec cat`);
  colony.put("line", { args: parts("head -c 67108864 /dev/zero | tr '\\0' x") });
  colony.put("flood", { args: parts(`yes ${"0123456789".repeat(10)} | head -c 268435456`) });
  await colony.started("endless");
  for (let nth = 2; nth <= 4; nth++) {
    colony.send({ type: "RESTART", name: "web" });
    await colony.started("web", nth);
  }
  colony.remove("endless");
  for (let part = 1; part <= 4; part++) {
    for (const name of ["flood", "line"]) await colony.waitFor(new RegExp(`^\\[${name}\\] part ${part}$`));
  }
  const { stdout } = await run(["cat", `/proc/${colony.process.pid}/status`]);
  assertLess(Number(/^VmHWM:\s*(\d+) kB$/m.exec(stdout)?.[1]) / 1024, 150);
  assertEquals(await colony.stop(), 0);
});

Deno.test("the monitor logs an exit by a real-time signal once, and backs off", async () => {
  await using colony = new Colony({ args: ["-t", "1000", "-m", "0.1"], config: { rt: { args: sh("kill -34 $$") } } });
  await colony.waitFor(/rt: waiting -> running/, 3);
  const timesOf = (pattern: RegExp) => colony.lines.filter((line) => pattern.test(line)).map(timeOf);
  const exits = timesOf(/ WARN rt: running -> stopping \(signal \d+ after [\d.]+ s\)$/);
  const starts = timesOf(/ rt: waiting -> running /);
  // The times are rounded down to milliseconds.
  for (const [nth, delay] of [100, 200, 400].entries()) assertGreater(starts[nth]! - exits[nth]!, delay - 2);
  assertEquals(colony.matching(/rt: .*unexpected event/), []);
});

Deno.test("among 150 processes that exit at once, another one is restarted after a few of their lives", async () => {
  const crowd = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`p${i}`, { args: ["true"] }]));
  await using colony = new Colony({
    args: ["-m", "0", "-M", "0", "-t", "0", "--kill-scope", "group"],
    config: { ...crowd, web: CAT },
  });
  const web = await colony.started("web");
  await colony.waitFor(/p\d+: stopping -> running/, 300);
  colony.send({ type: "RESTART", name: "web" });
  await colony.started("web", 2);
  assertEquals(isAlive(web), false);
  const lives = countBetween(colony, / p\d+: stopping -> running /, /: RESTART "web"/, /web: stopping -> running/);
  assertLess(lives, 150 * 5);
  assertEquals(await colony.stop(), 0);
});

/** Returns a leader that becomes another user until a file appears. */
function deserter(path: string): string[] {
  const script = `echo ready; while [ ! -e '${path}/pardon' ]; do sleep 0.05; done; exec '${path}/sleep' 1000`;
  return ["setpriv", `--reuid=${STRANGER}`, "--clear-groups", ...sh(script)];
}

/** Becomes root without the capability to signal other users' processes. */
const TOOTHLESS = ["setpriv", "--bounding-set=-kill"];

/** Copies a program into a directory that all users may enter, with the setuid bit, so that it always runs as root. */
async function makeSetuid(directory: string, command: string): Promise<void> {
  const target = `${directory}/${command}`;
  Deno.copyFileSync((await run(sh(`command -v ${command}`))).stdout.trim(), target);
  Deno.chmodSync(directory, 0o755);
  Deno.chmodSync(target, 0o4755);
}

/** Returns whether setuid works: some file systems and programs ignore that bit. */
async function canSetuid(): Promise<boolean> {
  using dir = tempDir();
  await makeSetuid(dir.path, "id");
  const { stdout } = await run(["setpriv", `--reuid=${STRANGER}`, "--clear-groups", dir.file("id"), "-u"]);
  return stdout.trim() === "0";
}

const MAY_DESERT = IS_ROOT && hasCommand("setpriv");

Deno.test({
  name: "the monitor logs a refused signal once, sends it again at each scan, and serves the other processes",
  ignore: !MAY_DESERT || !await canSetuid(),
  fn: async () => {
    await using colony = new Colony({
      args: ["-k", "0.5", "--frequency", "0.1"],
      wrap: TOOTHLESS,
      config: { web: CAT, db: CAT },
    });
    await makeSetuid(colony.dir.path, "sleep");
    colony.put("deserter", { args: deserter(colony.dir.path) });
    const [db, first] = [await colony.started("db"), await colony.started("deserter")];
    await colony.waitFor(/^\[deserter\] ready$/);
    for (const name of ["deserter", "web"]) colony.send({ type: "RESTART", name });
    await colony.started("web", 2);
    await colony.waitFor(/deserter: stopping -> killing \(kill time expired\)/);
    await colony.fence();
    assertEquals([isAlive(first), colony.pidsOf("deserter")], [true, [first]]);
    colony.dir.write("pardon", "");
    await colony.started("deserter", 2);
    assertEquals([first, db].map(isAlive), [false, true]);
    assertEquals(colony.count(new RegExp(`WARN deserter: cannot send SIGTERM to pid ${first}: permission denied`)), 1);
    assertEquals(colony.count(/cannot send/), 1);
  },
});

Deno.test({
  name: "the monitor leaves behind a process that it may not signal once the kill time is over, and exits with 1",
  ignore: !MAY_DESERT,
  fn: async () => {
    await using colony = new Colony({ args: ["-k", "0.5"], wrap: TOOTHLESS, config: { web: CAT } });
    colony.put("deserter", { args: deserter(colony.dir.path) });
    const [web, deserted] = [await colony.started("web"), await colony.started("deserter")];
    await colony.waitFor(/^\[deserter\] ready$/);
    assertEquals(await colony.stop(), 1);
    assertEquals([web, deserted].map(isAlive), [false, true]);
    assertEquals(
      colony.count(new RegExp(`ERROR deserter: cannot be signaled and is left behind: pid ${deserted} \\(`)),
      1,
    );
    assertEquals(colony.stderr.lines.at(-1)?.slice(25), "INFO stopped with errors");
  },
});
