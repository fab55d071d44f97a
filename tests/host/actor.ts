/**
 * A small program that the tests run as another process, with what they cannot do to themselves.
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
import { spawnChild, type SpawnOptions } from "../../host/children/child.ts";
import { makeOwnDirectory } from "../../host/files/own_directory.ts";
import { DenoPidFiles, noPidFiles } from "../../host/children/pid_files.ts";
import { whyUntrusted } from "../../host/files/trust.ts";
import { watchDirectories } from "../../host/files/watch.ts";
import { hasLiveMember, whoIsLeft } from "../../host/children/who_is_left.ts";
import { until } from "../helpers.ts";
import { Trial } from "./children.ts";

const ACTS: Record<string, (...args: string[]) => void | Promise<void>> = {
  /** Locks a directory, as another user where one is given, and holds the lock until it is ended. */
  lock: async (path, uid) => {
    if (uid !== undefined) process.setuid?.(Number(uid));
    using lock = await lockDirectory(path, 0);
    if (lock === null) print("refused");
    else print(lock.fault === null ? "held" : `held without a file: ${lock.fault}`);
    if (lock !== null) await untilStdinEnds();
  },

  /** Tells what it finds in a directory under a name, as another user where one is given. */
  read: async (path, name, uid, kind) => {
    if (uid !== undefined) process.setuid?.(Number(uid));
    print(await findings(directoryOf(path, kind), name));
  },

  /** Reads a file many times, and tells each different thing that it finds. */
  reads: (path, name, count, kind) => {
    const directory = directoryOf(path, kind);
    const found = new Set<string>();
    for (let i = 0; i < Number(count); i++) found.add(JSON.stringify(directory.read(name)?.entry ?? null));
    print(`[${[...found].sort()}]`);
    // An open that waits for ever would keep it from ending by itself.
    Deno.exit();
  },

  /** Puts two things in turn under a name until it is ended. */
  swap: (path, name, one, other) => {
    print("swapping");
    for (;;) {
      for (const thing of [one, other]) {
        Deno.linkSync(join(path, thing), join(path, "swap.new"));
        Deno.renameSync(join(path, "swap.new"), join(path, name));
      }
    }
  },

  /** Beats once as another user, and tells what keeps it from that. */
  beat: (status, uid) => {
    process.setuid?.(Number(uid));
    const faults: string[] = [];
    new Heart(status, "web", (fault) => void faults.push(fault)).beat();
    print({ faults });
  },

  /** Watches a directory with a FIFO in it, touches that, and tells whether watches still work. */
  watch: async (path, fifo) => {
    const { told, sink } = watchSink();
    const watch = watchDirectories([path], sink);
    Deno.utimeSync(join(path, fifo), 1000, 1000);
    Deno.writeTextFileSync(join(path, "web"), "{}");
    await until("the file is told", () => told.includes("web"));
    await watch.close();
    print(canWatch(path));
  },

  /** Watches a directory in which a FIFO comes and goes; tells what the watch answers, and whether watches still work. */
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

  /** Listens at a socket until it is ended. */
  listen: async (path) => {
    using _listener = Deno.listen({ transport: "unix", path });
    print("listening");
    await untilStdinEnds();
  },

  /** Starts a child as a config says, as another user where one is given, and tells what it writes and how it ends. */
  spawn: async (config, uid) => {
    if (uid !== undefined) process.setuid?.(Number(uid));
    const { args, ...others } = JSON.parse(config);
    await using trial = new Trial(args, others);
    print({ text: await trial.result(), events: trial.events });
  },

  /** Starts a command so many times at once, waits for nothing, and tells what all write. */
  "spawn-many": (count, command, ...args) => startMany(Number(count), [command, ...args], () => {}),

  /** Starts a command so many times at once, tells what all write, and ends by an error when each has written something. */
  throw: (count, command, ...args) => {
    let wrote = 0;
    startMany(Number(count), [command, ...args], () => {
      if (++wrote === Number(count)) reportError(new Error("meant"));
    });
  },

  /** Starts children one after another, and tells how many file descriptors it had before and has after. */
  descriptors: async (count) => {
    const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
    const before = open();
    for (let i = 0; i < Number(count); i++) {
      await using trial = new Trial(["true"]);
      await trial.result();
    }
    print({ before, after: open() });
  },

  /** Starts a command, and once more with only so many free file descriptors; tells what became of that. */
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
      // That were all.
    }
    for (const file of held.splice(0, Number(free))) file.close();
    const event = await start();
    for (const file of held) file.close();
    print(event);
  },

  /** Signals a child that is another user's, without the right to and then with it. */
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

  /** Tells events and lines of a child through an output that options set. */
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

  /** Runs as a program does that fails as `how` says. */
  fail: async (how) => {
    const errors: Record<string, unknown> = {
      usage: new UsageError("--arg is no option"),
      lines: new Error("first\n  second\n"),
      other: "a string",
    };
    const program = { name: "tool", version: "1.2.3", help: "Usage: tool" };
    Deno.exitCode = await runProgram(program, () => {
      if (how in errors) throw errors[how];
      return answerCommon(program, new Set(how.split("+"))) ? 0 : 7;
    });
  },

  /** Tells which permissions each file has whose name ends in `.new`, at its first stamp. */
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

  /** Notes a child in a pid directory, as a monitor does that may read /proc: before its start, and after that too unless `pid` is missing. */
  record: (path, config, pid) => {
    const files = new DenoPidFiles(path, {}, denoClock);
    const spec = parseSpec("web", config);
    print({ faults: [files.prepare(spec), pid === undefined ? null : files.write(spec, Number(pid))] });
  },

  /** Notes a child while no file of /proc can be opened, and once more when they can; tells what is known of its start. */
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
   * Tells which children of earlier monitors it finds by a pid directory (`none`: there is none) and a config directory, and
   * of their ends after a signal, where one is given.
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

  /** Tells who is left of a child, and whether anybody of its group has not ended. */
  left: (pid, scope) => {
    print({
      left: whoIsLeft(Number(pid), scope === "process" ? "process" : "group"),
      isLive: hasLiveMember(Number(pid)),
    });
  },

  /** Ends its first thread, while others live on. */
  "lose the first thread": () => {
    const { symbols } = Deno.dlopen("libc.so.6", { syscall: { parameters: ["i64", "i64"], result: "i64" } });
    print("loses it");
    symbols.syscall(Deno.build.arch === "aarch64" ? 93n : 60n, 0n);
  },

  /** Makes a directory of its own. */
  make: (path) => makeOwnDirectory(path, {}),

  /** Tells why a file or directory is not trusted. */
  trust: (path, options) => {
    print({ why: whyUntrusted(path, Deno.statSync(path), JSON.parse(options)) });
  },

  /** Tells what it finds in a messages directory under a name, and what becomes of it. */
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

/** Starts a command so many times at once; what they write is written, and told. */
function startMany(count: number, args: SpawnOptions["args"], wrote: () => void): void {
  const write = (bytes: Uint8Array) => {
    Deno.stdout.writeSync(bytes);
    wrote();
  };
  const start: SpawnOptions = { args, env: () => ({}), stdin: "null", killScope: "group" };
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
