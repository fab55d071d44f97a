/**
 * Kills the monitor again and again, during starts, edits and restarts, with a full disk and too few file descriptors.
 * Checks that two processes of one name are never alive at the same time, and that all wanted processes run in the end.
 *
 * Each process holds a lock for its name while any process of its group is alive. A process that finds the lock held
 * records that. The pid files are on a small disk if this program may mount one.
 */

import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { Random } from "../core/random.ts";
import { until } from "../helpers.ts";
import { place, ROOT, signalIfThere, toolCommand } from "../cli/tools.ts";

const NAMES = ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11"] as const;

/** A colony in which things go wrong. */
class Field {
  readonly dir: string = Deno.makeTempDirSync({ prefix: "ncolony-faults-" });
  readonly config: string = this.#make("config");
  readonly messages: string = this.#make("messages");
  readonly pids: string = this.#make("pids");
  readonly locks: string = this.#make("locks");
  readonly doubles: string = join(this.dir, "doubles");
  readonly log: string = join(this.dir, "log");
  readonly isSmall: boolean;
  readonly random: Random;
  #monitor: Deno.ChildProcess | null = null;
  #version = 0;
  #sent = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    Deno.writeTextFileSync(this.doubles, "");
    this.isSmall = mount(this.pids);
    for (const name of NAMES) this.edit(name);
  }

  /** Writes a config that differs from all previous ones. */
  edit(name: string): void {
    const kind = this.random.pick(["sleeps", "sleeps", "sleeps", "crashes", "stubborn", "leaves"]);
    const lock = `exec 9>>'${this.locks}/${name}'; flock -n 9 || echo "${name} $$" >> '${this.doubles}'`;
    const then = {
      sleeps: "exec sleep 1000",
      crashes: `sleep 0.${1 + this.random.below(9)}; exit 3`,
      stubborn: "trap '' TERM; while :; do sleep 0.1; done",
      leaves: "sleep 1000 & sleep 0.5",
    }[kind];
    const args = ["sh", "-c", `${lock}; ${then}`];
    place(this.config, name, JSON.stringify({ args, version: this.#version++ }));
  }

  /** Makes something happen that may happen to a colony. */
  act(): void {
    const name = this.random.pick(NAMES);
    const act = this.random.pick(["edit", "edit", "edit", "remove", "restart", "restart", "all", "fill", "free"]);
    if (act === "edit") this.edit(name);
    else if (act === "remove") attempt(() => Deno.removeSync(join(this.config, name)));
    else if (act === "restart") this.send({ type: "RESTART", name });
    else if (act === "all") this.send({ type: "RESTART-ALL" });
    else if (act === "fill" && this.isSmall) this.fill();
    else if (act === "free") this.free();
  }

  send(message: unknown): void {
    place(this.messages, `m${`${this.#sent++}`.padStart(6, "0")}`, JSON.stringify(message));
  }

  /** Fills the disk of the pid files. */
  fill(): void {
    attempt(() => Deno.writeFileSync(join(this.pids, ".filler"), new Uint8Array(1024 * 1024)));
    for (let i = 0; i < 64; i++) {
      try {
        Deno.writeTextFileSync(join(this.pids, `.filler${i}`), "x");
      } catch {
        return;
      }
    }
  }

  free(): void {
    for (const { name } of Deno.readDirSync(this.pids)) {
      if (name.startsWith(".filler")) attempt(() => Deno.removeSync(join(this.pids, name)));
    }
  }

  /** Starts a monitor with at most this many file descriptors; null: no own limit. */
  start(descriptors: number | null): void {
    const limit = descriptors === null ? "" : `ulimit -n ${descriptors}; `;
    const options = [
      "--config",
      this.config,
      "--messages",
      this.messages,
      "--pid",
      this.pids,
      "--frequency",
      "0.5",
      "-k",
      "1",
    ];
    const command = [...toolCommand("monitor/mod.ts", ["-A"]), ...options, "--log-file", this.log];
    this.#monitor = new Deno.Command("sh", {
      args: ["-c", `${limit}exec "$@"`, "sh", ...command],
      cwd: ROOT,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Kills the monitor, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#monitor !== null) signalIfThere(this.#monitor.pid, "SIGKILL");
    await this.#monitor?.status;
    this.#monitor = null;
  }

  /** Stops the monitor. Returns its exit code. */
  async stop(): Promise<number | undefined> {
    if (this.#monitor !== null) signalIfThere(this.#monitor.pid, "SIGTERM");
    return (await this.#monitor?.status)?.code;
  }

  /** Returns the names with a live process. */
  alive(): string[] {
    return NAMES.filter((name) => {
      using file = Deno.openSync(join(this.locks, name), { read: true, write: true, create: true });
      return !file.tryLockSync(true);
    });
  }

  async close(): Promise<void> {
    await this.kill();
    // Leftover processes hold a lock in this directory. They are found by that, and killed by pid.
    for (const pid of holdersIn(this.locks)) signalIfThere(pid, "SIGKILL");
    if (this.isSmall) new Deno.Command("umount", { args: ["-l", this.pids] }).outputSync();
    Deno.removeSync(this.dir, { recursive: true });
  }

  #make(name: string): string {
    const path = join(this.dir, name);
    Deno.mkdirSync(path, { mode: 0o750 });
    return path;
  }
}

/** Mounts a disk of 128 KiB. Returns false if this program may not. */
function mount(path: string): boolean {
  const args = ["-t", "tmpfs", "-o", "size=128k,mode=0750", "none", path];
  return Deno.uid() === 0 && new Deno.Command("mount", { args, stderr: "null" }).outputSync().success;
}

/** Returns the processes whose file descriptor 9 is a file in this directory. */
function holdersIn(path: string): number[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) =>
    pid > 1 && pid !== Deno.pid
  );
  return pids.filter((pid) => {
    try {
      return Deno.readLinkSync(`/proc/${pid}/fd/9`).startsWith(`${path}/`);
    } catch {
      // It has exited, or has no such descriptor.
      return false;
    }
  });
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // The disk is full, or the file is missing.
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Runs one field. Returns what went wrong, or null. */
async function play(field: Field, kills: number): Promise<string | null> {
  for (let killed = 0; killed < kills; killed++) {
    field.start(field.random.pick([null, null, null, 60, 80, 100]));
    // Some monitors are killed while they start, others later.
    const until = performance.now() + field.random.below(field.random.pick([150, 400, 1500]));
    while (performance.now() < until) {
      if (field.random.below(3) > 0) field.act();
      await pause(field.random.below(40));
    }
    await field.kill();
    if (Deno.readTextFileSync(field.doubles) !== "") return `two of one name after ${killed + 1} kills`;
  }
  field.free();
  for (const name of NAMES) place(field.config, name, JSON.stringify(lasting(field, name)));
  field.start(null);
  await until("all that is wanted runs", () => field.alive().length === NAMES.length);
  await until(
    "all messages are taken",
    () => [...Deno.readDirSync(field.messages)].every(({ name }) => name.startsWith(".")),
  );
  const code = await field.stop();
  if (code !== 0) return `the last monitor ended with ${code}`;
  if (field.alive().length > 0) return `somebody is left of ${field.alive()}`;
  return Deno.readTextFileSync(field.doubles) === "" ? null : "two of one name at the end";
}

function lasting(field: Field, name: string): unknown {
  const lock = `exec 9>>'${field.locks}/${name}'; flock -n 9 || echo "${name} $$" >> '${field.doubles}'`;
  return { args: ["sh", "-c", `${lock}; exec sleep 1000`], last: true };
}

if (import.meta.main) {
  const { kills = "200", seed = `${Date.now() % 1e9}` } = parseArgs(Deno.args, { string: ["kills", "seed"] });
  const field = new Field(Number(seed));
  let fault: string | null;
  try {
    fault = await play(field, Number(kills));
    if (fault !== null) {
      const tail = Deno.readTextFileSync(field.log).split("\n").slice(-80).join("\n");
      Deno.stderr.writeSync(new TextEncoder().encode(`${tail}\n${Deno.readTextFileSync(field.doubles)}`));
    }
  } finally {
    await field.close();
  }
  const disk = field.isSmall ? "" : ", without a full disk";
  Deno.stdout.writeSync(
    new TextEncoder().encode(`${kills} kills, seed ${seed}${disk}: ${fault ?? "never two, never none"}\n`),
  );
  Deno.exit(fault === null ? 0 : 1);
}
