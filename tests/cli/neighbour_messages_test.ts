/** Attacks by a neighbour who may write or only read the messages directory. */

import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { until } from "../helpers.ts";
import { neighbourTest, Place, pythonTest } from "./neighbour.ts";
import type { Program } from "./program.ts";
import { MONITOR_PERMISSIONS, run, sleeper, timeOf } from "./tools.ts";

const RESTART = '{"type": "RESTART", "name": "web"}';

/** A colony whose messages directory has a given mode. It runs `web`. */
class Shared extends Place {
  readonly config: string = this.make("config");
  readonly messages: string;

  constructor(mode = 0o777) {
    super();
    this.messages = this.make("messages", mode);
    this.write("config/web", sleeper(this.dir));
  }

  /** The options that name the two directories. */
  get args(): string[] {
    return ["--config", this.config, "--messages", this.messages];
  }

  /** Starts the monitor, and waits until `web` runs. */
  async start(args: readonly string[] = [], permissions: readonly string[] = ["-A"]): Promise<Program> {
    const monitor = this.monitor([...this.args, ...args], permissions);
    // The monitor first stops the leftover processes of a killed one.
    await monitor.waitFor(/web: \w+ -> running/);
    return monitor;
  }

  /** Adds a config by rename, and waits until it runs. Returns how long that took, in milliseconds. */
  async add(monitor: Program, name: string): Promise<number> {
    const start = performance.now();
    Deno.renameSync(this.write(`config/${name}.new`, sleeper(this.dir)), `${this.config}/${name}`);
    await monitor.waitFor(new RegExp(`${name}: gone -> running`));
    return performance.now() - start;
  }

  /** Returns the file descriptors of a monitor. */
  async descriptors(monitor: Program): Promise<string[]> {
    const { stdout } = await run(["ls", "-l", `/proc/${monitor.process.pid}/fd`]);
    return stdout.trim().split("\n");
  }
}

/** Returns the CPU time that a process has used, in seconds. */
async function processorTime({ process: { pid } }: Program): Promise<number> {
  const { stdout } = await run(["cat", `/proc/${pid}/stat`]);
  const fields = stdout.slice(stdout.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Returns the time from the first line of a log to the last one, in seconds. */
function secondsOf(lines: readonly string[]): number {
  const times = lines.map(timeOf).filter((time) => !Number.isNaN(time));
  return (Math.max(...times) - Math.min(...times)) / 1000;
}

/** Checks that a log has at most one such line per second, by the times in the log. */
function assertOncePerSecond(monitor: Program, line: RegExp): void {
  const lines = monitor.lines.filter((it) => line.test(it));
  assertLessOrEqual(lines.length, Math.ceil(secondsOf(lines)) + 1);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Locks the messages directory and everything in it that can be opened, over and over. */
const LOCK_ALL = `
import fcntl, os, sys, time
held = []
path = sys.argv[1] + "/messages"
while True:
    for name in [path] + [os.path.join(path, name) for name in os.listdir(path)]:
        fd = -1
        try:
            fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held.append(fd)
        except OSError:
            if fd >= 0: os.close(fd)
    if len(held) > 200: time.sleep(1)
`;

for (const mode of [0o755, 0o777, 0o1777]) {
  for (const permissions of [["-A"], MONITOR_PERMISSIONS]) {
    const how = `mode ${mode.toString(8)}, ${permissions.length} flags`;
    neighbourTest(
      `a neighbour who locks everything keeps neither a monitor nor its successor from starting (${how})`,
      async () => {
        await using place = new Shared(mode);
        await place.pythonOn(LOCK_ALL);
        await pause(300);
        const first = await place.start([], permissions);
        const second = place.monitor(place.args, permissions);
        assertEquals(await second.ended(), 1);
        assertEquals(second.count(/Cannot lock .*: another monitor uses this messages directory/), 1);
        first.process.kill("SIGKILL");
        await first.ended();
        await place.start([], permissions);
      },
    );
  }
}

for (const mode of [0o777, 0o1777]) {
  neighbourTest(
    `a neighbour who replaces the lock keeps no monitor from starting (mode ${mode.toString(8)})`,
    async () => {
      await using place = new Shared(mode);
      const secret = place.write("secret", "root's own", 0o600);
      await place.attackOn(`cd "$1/messages"; while :; do
      rm -rf .lock; ln -s "$1/secret" .lock 2>/dev/null
      rm -rf .lock; mkdir -p .lock/x 2>/dev/null
      rm -rf .lock; mkfifo .lock 2>/dev/null
      rm -rf .lock; echo mine > .lock
    done 2>/dev/null`);
      await pause(200);
      for (let i = 0; i < 3; i++) {
        const monitor = await place.start();
        monitor.process.kill("SIGKILL");
        await monitor.ended();
      }
      assertEquals([Deno.readTextFileSync(secret), (Deno.statSync(secret).mode ?? 0) & 0o777], ["root's own", 0o600]);
    },
  );
}

neighbourTest(
  "the monitor takes and removes a message in a directory that other users may write to within about a second",
  async () => {
    for (const permissions of [["-A"], MONITOR_PERMISSIONS]) {
      await using place = new Shared(0o1777);
      const monitor = await place.start([], permissions);
      await monitor.waitFor(/INFO other users can write to the messages directory, so they can request restarts/);
      for (let nth = 1; nth <= 3; nth++) {
        await place.attack(`cd "$1/messages"; echo '${RESTART}' > m.new; mv m.new m`);
        await monitor.waitFor(/web: \w+ -> running/, nth + 1);
        await until("it is taken away", () => ![...Deno.readDirSync(place.messages)].some(({ name }) => name === "m"));
      }
    }
  },
);

neighbourTest("the monitor opens nothing that a neighbour's names lead to", async () => {
  await using place = new Shared();
  place.make("own", 0o700);
  const pipe = place.file("own", "pipe");
  assertEquals((await run(["mkfifo", "-m", "600", pipe])).code, 0);
  const monitor = await place.start(["--frequency", "0.2"]);
  await place.attack(
    `cd "$1/messages"; ln -s "${pipe}" link; for i in 1 2 3 4 5; do ln -s "${pipe}" l.new; mv l.new "l$i"; touch -h link; done`,
  );
  await monitor.waitFor(/message "link" is invalid and stays in place/);
  await pause(1000);
  // Opening a FIFO for writing without waiting fails while no process reads it.
  const script = "import os, sys; os.open(sys.argv[1], os.O_WRONLY | os.O_NONBLOCK)";
  const { stderr } = await run(["python3", "-c", script, pipe]);
  assert(/No such device or address/.test(stderr), "somebody has it open");
  assertLess(await place.add(monitor, "late"), 5000);
  assertEquals(await monitor.stop(), 0);
});

/** Makes FIFOs that are gone at once, and files with a lease, under names that come and go. */
const PIPES_AND_LEASES = `
import fcntl, os, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
os.chdir(sys.argv[1] + "/messages")
while True:
    try:
        os.mkfifo("pipe"); time.sleep(0.005); os.unlink("pipe")
        fd = os.open("leased.new", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        os.write(fd, b'{"type": "RESTART-ALL"}')
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        os.rename("leased.new", "leased")
        time.sleep(0.02)
        os.mkfifo("swap"); os.rename("swap", "leased"); os.unlink("leased")
        os.close(fd)
    except OSError:
        pass
`;

pythonTest(
  "FIFOs that come and go, and leases, keep the monitor neither from seeing configs nor from stopping",
  async () => {
    await using place = new Shared();
    const monitor = await place.start(["--frequency", "1000"]);
    await place.pythonOn(PIPES_AND_LEASES);
    await pause(2000);
    for (let i = 0; i < 5; i++) {
      await place.add(monitor, `late${i}`);
      await pause(300);
    }
    const start = performance.now();
    assertEquals(await monitor.stop(), 0);
    assertLess(performance.now() - start, 10_000);
    assertEquals(monitor.matching(/cannot watch the directories/), []);
  },
);

neighbourTest("the monitor restarts a process at most once a second, however many messages ask for it", async () => {
  await using place = new Shared();
  const monitor = await place.start();
  await place.attackOn(
    `cd "$1/messages"; i=0; while :; do i=$((i + 1)); echo '${RESTART}' > $i.new; mv $i.new $i; done`,
  );
  await monitor.waitFor(/web: stopping -> running/, 2);
  await pause(4000);
  assertOncePerSecond(monitor, /web: stopping -> running/);
  assertLess(await place.add(monitor, "late"), 10_000);
  // At most ten lines a second about other users' messages, and how many more there were.
  assertLess(monitor.count(/INFO message "/), 15 * (secondsOf(monitor.lines) + 10));
  await monitor.waitFor(/WARN \d+ more lines about messages were suppressed/);
});

neighbourTest("messages cut short the backoff of a crashing process at most once a second", async () => {
  await using place = new Shared();
  const monitor = await place.start();
  Deno.renameSync(place.write("config/bad.new", '{"args": ["false"]}'), place.file("config", "bad"));
  await monitor.waitFor(/bad: stopping -> waiting/);
  await place.attackOn(
    `cd "$1/messages"; while :; do echo '{"type": "RESTART", "name": "bad"}' > b.new; mv b.new b; done`,
  );
  await monitor.waitFor(/bad: waiting -> running/, 2);
  await pause(4000);
  assertOncePerSecond(monitor, /bad: waiting -> running/);
});

for (
  const [what, mode, script] of [
    ["names that begin with two dots", 0o755, 'while :; do : > "..x"; rm -f "..x"; sleep 0.01; done'],
    ["names that begin with two dots", 0o777, 'while :; do : > "..x"; rm -f "..x"; sleep 0.01; done'],
    [
      "messages to an unknown group",
      0o777,
      `while :; do echo '{"type": "RESTART-GROUP", "group": "none"}' > m.new; mv m.new m; sleep 0.01; done`,
    ],
  ] as const
) {
  neighbourTest(
    `${what} cause no more scans of the configs than there is time for (mode ${mode.toString(8)})`,
    async () => {
      await using place = new Shared(mode);
      const off = '{"args": ["cat"], "ncolony.monitor": {"enabled": false}}';
      for (let i = 0; i < 5000; i++) Deno.writeTextFileSync(`${place.config}/off${i}`, off);
      const monitor = await place.start();
      await pause(3000);
      // Only root can do this in a directory of its own.
      const attack = `cd "$1/messages"; ${script}`;
      if (mode === 0o777) await place.attackOn(attack);
      const own = mode === 0o777
        ? null
        : new Deno.Command("sh", { args: ["-c", attack, "sh", place.dir.path] }).spawn();
      try {
        const before = await processorTime(monitor);
        const start = performance.now();
        await pause(3000);
        const share = (await processorTime(monitor) - before) / ((performance.now() - start) / 1000);
        assertLess(share, 0.5, `${share} of a core`);
      } finally {
        own?.kill("SIGKILL");
        await own?.status;
      }
    },
  );
}

neighbourTest("children that leave writers behind cost no file descriptors", async () => {
  await using place = new Shared();
  const monitor = await place.start(["--threshold", "0", "--minrestartdelay", "0"]);
  const script = 'setsid sh -c "for i in \\$(seq 300); do echo left behind; sleep 0.2; done" & sleep 0.3';
  Deno.renameSync(
    place.write("config/leaky.new", JSON.stringify({ args: ["sh", "-c", script] })),
    place.file("config", "leaky"),
  );
  await monitor.waitFor(/leaky: \w+ -> running/, 6);
  const before = (await place.descriptors(monitor)).length;
  await monitor.waitFor(/leaky: \w+ -> running/, 16);
  const after = (await place.descriptors(monitor)).length;
  // The pipes of a few children are still being emptied.
  assertLessOrEqual(after - before, 6);
});

neighbourTest(
  "a flood of names slows down neither configs nor the stop, and the monitor takes a message among them",
  async () => {
    await using place = new Shared();
    const monitor = await place.start();
    await place.attack(`cd "$1/messages"; seq 1 20000 | xargs touch`);
    await place.attack(`cd "$1/messages"; echo '${RESTART}' > zzz.new; mv zzz.new zzz`);
    assertLess(await place.add(monitor, "late"), 15_000);
    await monitor.waitFor(/web: stopping -> running/);
    const start = performance.now();
    assertEquals(await monitor.stop(), 0);
    assertLess(performance.now() - start, 15_000);
  },
);
