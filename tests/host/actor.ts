/**
 * A small program that the tests run as another process, for what they cannot do to themselves.
 *
 * @module
 */

import { describeExit, type Exit, parseSpec, type StopSignal, UsageError } from "@ncolony/core";
import {
  answerCommon,
  configDirectory,
  denoClock,
  type Directory,
  Heart,
  lockDirectory,
  messageDirectory,
  Output,
  runProgram,
  type WatchListener,
} from "@ncolony/host";
import { join } from "@std/path";
import process from "node:process";
import { spawnChild, type SpawnOptions } from "../../host/children/spawn.ts";
import { makeOwnDirectory } from "../../host/files/own_directory.ts";
import { DenoPidFiles, noPidFiles } from "../../host/children/pid_files.ts";
import { whyUntrusted } from "../../host/files/trust.ts";
import { watchDirectories } from "../../host/files/watch.ts";
import { membersOf } from "../../host/scopes/proc.ts";
import { hasLiveMember, whoIsLeft } from "../../host/scopes/who_is_left.ts";
import { until } from "../helpers.ts";
import { Trial } from "./children.ts";

const ACTS: Record<string, (...args: string[]) => void | Promise<void>> = {
  /** Locks a directory, as another user if one is given, and holds the lock until stdin ends. */
  lock: async (path, uid) => {
    if (uid !== undefined) process.setuid?.(Number(uid));
    using lock = await lockDirectory(path, 0);
    if (lock === null) print("refused");
    else print(lock.fault === null ? "held" : `held without a file: ${lock.fault}`);
    if (lock !== null) await untilStdinEnds();
  },

  /** Prints what it finds in a directory under a name, as another user if one is given. */
  read: async (path, name, uid, kind) => {
    if (uid !== undefined) process.setuid?.(Number(uid));
    print(await findings(directoryOf(path, kind), name));
  },

  /** Reads a file many times, and prints each different result. */
  reads: (path, name, count, kind) => {
    const directory = directoryOf(path, kind);
    const found = new Set<string>();
    for (let i = 0; i < Number(count); i++) found.add(JSON.stringify(directory.read(name)?.entry ?? null));
    print(`[${[...found].sort()}]`);
    // A pending open would keep it from exiting by itself.
    Deno.exit();
  },

  /** Renames two things in turn to a name, until it is killed. */
  swap: (path, name, one, other) => {
    print("swapping");
    for (;;) {
      for (const thing of [one, other]) {
        Deno.linkSync(join(path, thing), join(path, "swap.new"));
        Deno.renameSync(join(path, "swap.new"), join(path, name));
      }
    }
  },

  /** Beats once as another user, and prints the faults. */
  beat: (status, uid) => {
    process.setuid?.(Number(uid));
    const faults: string[] = [];
    new Heart(status, "web", (fault) => void faults.push(fault)).beat();
    print({ faults });
  },

  /** Watches a directory with a FIFO in it, touches the FIFO, and prints whether watches still work. */
  watch: async (path, fifo) => {
    const { told, sink } = watchSink();
    const watch = watchDirectories([path], sink);
    Deno.utimeSync(join(path, fifo), 1000, 1000);
    Deno.writeTextFileSync(join(path, "web"), "{}");
    await until("the file is told", () => told.includes("web"));
    await watch.close();
    print(canWatch(path));
  },

  /** Watches a directory in which a FIFO comes and goes. Prints the watch's answers, and whether watches still work. */
  "watch-hanging": async (path, fifo, probe) => {
    const watch = watchDirectories([path], watchSink().sink, probe ?? null);
    print({ before: watch.check() });
    await new Deno.Command("mkfifo", { args: [join(path, fifo)] }).output();
    await pause(300);
    Deno.removeSync(join(path, fifo));
    const after = [];
    for (let i = 0; i < 3; i++) {
      after.push(watch.check());
      await pause(1100);
    }
    print({ after });
    await watch.close();
    print(canWatch(path));
  },

  /** Listens on a socket until stdin ends. */
  listen: async (path) => {
    using _listener = Deno.listen({ transport: "unix", path });
    print("listening");
    await untilStdinEnds();
  },

  /** Starts a child as a config says, as another user if one is given. Prints its output and its events. */
  spawn: async (config, uid) => {
    if (uid !== undefined) process.setuid?.(Number(uid));
    const { args, ...others } = JSON.parse(config);
    await using trial = new Trial(args, others);
    print({ text: await trial.result(), events: trial.events });
  },

  /** Starts a command several times at once, does not wait, and prints the output of all. */
  "spawn-many": (count, command, ...args) => startMany(Number(count), [command, ...args], () => {}),

  /** Starts a command several times at once, prints the output of all, and fails once each has written something. */
  throw: (count, command, ...args) => {
    let wrote = 0;
    startMany(Number(count), [command, ...args], () => {
      if (++wrote === Number(count)) reportError(new Error("meant"));
    });
  },

  /** Starts children one after another. Prints the number of its file descriptors before and after that. */
  descriptors: async (count) => {
    const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
    const before = open();
    for (let i = 0; i < Number(count); i++) {
      await using trial = new Trial(["true"]);
      await trial.result();
    }
    print({ before, after: open() });
  },

  /**
   * Starts a command, then again with only so many free file descriptors. Prints the first event of the second start.
   */
  scarce: async (free, command, ...args) => {
    const start = async () => {
      await using trial = new Trial([command, ...args]);
      if (trial.child !== null) await trial.emptied();
      return trial.events[0];
    };
    await start();
    const held: Deno.FsFile[] = [];
    try {
      for (;;) held.push(Deno.openSync("/dev/null"));
    } catch {
      // No descriptor is left.
    }
    for (const file of held.splice(0, Number(free))) file.close();
    const event = await start();
    for (const file of held) file.close();
    print(event);
  },

  /** Signals another user's child, first without the right to, then with it. */
  refuse: async (childUid, ownUid) => {
    await using trial = new Trial(["sleep", "300"], { uid: Number(childUid) });
    print(`pid ${trial.pid}`);
    process.seteuid?.(Number(ownUid));
    try {
      trial.child?.signal("SIGTERM");
      trial.child?.signal("SIGINT");
      trial.child?.retry();
      print({ refused: trial.child?.refused, events: trial.events });
    } finally {
      process.seteuid?.(0);
    }
    trial.child?.retry();
    await trial.emptied();
    print({ refused: trial.child?.refused, events: trial.events.slice(1) });
  },

  /** Writes events and a child's lines to an output with these options. */
  speak: async (options) => {
    const output = new Output(JSON.parse(options));
    const encoder = new TextEncoder();
    const child = output.forChild("web");
    output.log.info("before");
    for (const line of ["out1\n", "out2\n"]) {
      await child.stdout(encoder.encode(line));
      await child.stderr(encoder.encode(line.replace("out", "err")));
      await output.flush(0);
    }
    output.log.info("after");
    child.end();
    await output.flush(10_000);
  },

  /** Runs as a program that fails as `how` says. */
  fail: async (how) => {
    const errors: Record<string, unknown> = {
      usage: new UsageError("unknown option --arg"),
      lines: new Error("first\n  second\n"),
      other: "a string",
    };
    const program = { name: "tool", version: "1.2.3", help: "Usage: tool" };
    Deno.exitCode = await runProgram(program, () => {
      if (how in errors) throw errors[how];
      return answerCommon(program, new Set(how.split("+"))) ? 0 : 7;
    });
  },

  /** Prints the mode of each file whose name ends in `.new`, as it is when first seen. */
  spy: (path) => {
    print("looking");
    const seen = new Set<string>();
    for (;;) {
      for (const { name } of Deno.readDirSync(path)) {
        if (!name.endsWith(".new") || seen.has(name)) continue;
        const mode = unlessGone(() => Deno.lstatSync(join(path, name)).mode);
        if (mode) print(`mode ${(mode & 0o777).toString(8)}`);
        seen.add(name);
      }
    }
  },

  /**
   * Records a child in a pid directory, as a monitor that may read /proc does: before its start, and if `pid` is given,
   * also after it.
   */
  record: (path, config, pid) => {
    const files = new DenoPidFiles(path, {}, denoClock);
    const spec = parseSpec("web", config);
    print({ faults: [files.prepare(spec), pid === undefined ? null : files.write(spec, Number(pid))] });
  },

  /**
   * Records a child while no file of /proc can be opened, and again when they can. Prints what is known of its start.
   */
  "record-unseen": (path, config, pid) => {
    const files = new DenoPidFiles(path, {}, denoClock);
    const spec = parseSpec("web", config);
    const { readTextFileSync } = Deno;
    const noted = () => JSON.parse(readTextFileSync(join(path, ".children")).split("\n")[0]).start;
    Deno.readTextFileSync = () => {
      throw new Error("Too many open files (os error 24)");
    };
    const faults = [files.prepare(spec), files.write(spec, Number(pid))];
    Deno.readTextFileSync = readTextFileSync;
    print({ faults, start: noted() });
    print({ fault: files.restore(), isNoted: typeof noted() === "string" });
  },

  /**
   * Prints the leftover processes that it finds with a pid directory (`none` if there is none) and a config directory,
   * and their events after a signal if one is given.
   */
  leftovers: async (path, config, signal) => {
    const files = path === "none" ? noPidFiles(denoClock) : new DenoPidFiles(path, {}, denoClock);
    const found = await files.findChildren(configDirectory(config));
    print(found.map(({ name, pids, isKnown }) => ({ name, pids, isKnown })));
    if (signal === undefined) return;
    const events: string[] = [];
    const sink = {
      leaderExited: (exit: Exit) => void events.push(describeExit(exit)),
      groupExited: () => void events.push("group-exited"),
      warn: (message: string) => void events.push(message),
    };
    for (const { open } of found) open(sink).signal(signal as StopSignal);
    await until("all have ended", () => events.filter((event) => event === "group-exited").length === found.length);
    print(events);
  },

  /** Prints which processes are left of a child, and whether its group has a live member. */
  left: (pid, scope) => {
    print({
      left: whoIsLeft(Number(pid), () => scope === "process" ? [Number(pid)] : membersOf("group", Number(pid))),
      isLive: hasLiveMember(Number(pid)),
    });
  },

  /** Exits its first thread, while other threads live on. */
  "lose the first thread": () => {
    const { symbols } = Deno.dlopen("libc.so.6", { syscall: { parameters: ["i64", "i64"], result: "i64" } });
    print("loses it");
    symbols.syscall(Deno.build.arch === "aarch64" ? 93n : 60n, 0n);
  },

  /** Makes a directory that only the current user may change. */
  make: (path) => makeOwnDirectory(path, {}),

  /** Prints why a file or directory is not trusted. */
  trust: (path, options) => {
    print({ why: whyUntrusted(path, Deno.statSync(path), JSON.parse(options)) });
  },

  /** Prints what it finds in a messages directory under a name, and the results of rejecting and removing it. */
  mail: async (path, name) => {
    const messagesDirectory = messageDirectory(path);
    print({
      ...await findings(messagesDirectory, name),
      reject: messagesDirectory.reject(name),
      remove: messagesDirectory.remove(name),
    });
  },
};

function watchSink(): { told: string[]; sink: WatchListener } {
  const told: string[] = [];
  const note = (word: string) => void told.push(word);
  return { told, sink: { touched: (_directory, name) => note(name), rescan: () => note("rescan"), failed: note } };
}

function canWatch(path: string): string {
  try {
    watchDirectories([path], watchSink().sink).close();
    return "watches work";
  } catch (error) {
    return String(error);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Starts a command several times at once, and writes the output of all to stdout. */
function startMany(count: number, args: SpawnOptions["args"], wrote: () => void): void {
  const write = (bytes: Uint8Array) => {
    Deno.stdout.writeSync(bytes);
    wrote();
  };
  const start: SpawnOptions = { name: "web", args, env: () => ({}), stdin: "null", killScope: "group" };
  const sink = { leaderExited: () => {}, groupExited: () => {}, warn: () => {} };
  for (let i = 0; i < count; i++) {
    spawnChild(start, { stdout: write, stderr: write, end: () => {} }, sink, denoClock);
  }
}

function directoryOf(path: string, kind = "config"): Directory {
  return kind === "messages" ? messageDirectory(path) : configDirectory(path);
}

function findings(directory: Directory, name: string): Record<string, unknown> {
  return { names: directory.names(), entry: directory.read(name)?.entry ?? null };
}

function unlessGone<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function print(value: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${typeof value === "string" ? value : JSON.stringify(value)}\n`));
}

async function untilStdinEnds(): Promise<void> {
  await Deno.stdin.readable.pipeTo(new WritableStream());
}

if (import.meta.main) {
  const [act, ...args] = Deno.args;
  await ACTS[act](...args);
}
