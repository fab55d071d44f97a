import type { Exit, KillScope, StopSignal } from "@ncolony/core";
import { faultOf, unnamedSignal } from "../deno_errors.ts";
import type { Child, ChildListener, ChildOutput, Clock } from "../types.ts";
import { findCommand, whyNotStarted } from "./command.ts";
import { pump } from "./pump.ts";
import { startLeader } from "./session.ts";
import { hasLiveMember, whoIsLeft } from "./who_is_left.ts";

/** How often it is asked whether a group is empty after its leader's end: soon first, then every 50 ms. */
const FIRST_POLL_MS = 1;
const MAX_POLL_MS = 50;

/**
 * So long after SIGKILL and the leader's end, who is left is stuck, or can only be zombies that nobody reaps. From then on
 * /proc, where it may be read, is asked which, as often.
 */
const GIVE_UP_MS = 1000;

/** What is started, and how; a `Spec` is most of it. */
export interface SpawnOptions {
  /** The command and its arguments. */
  readonly args: readonly [string, ...string[]];
  /** Gives its environment; absent: this program's own. What it throws is the reason why the child cannot be started. */
  readonly env?: () => Record<string, string>;
  /** Its stdin: a pipe that nobody writes to and that stays open until its group is empty, or `/dev/null`. */
  readonly stdin: "piped" | "null";
  /** The user id to run as. @default {this program's} */
  readonly uid?: number;
  /** The group id to run as. @default {this program's} */
  readonly gid?: number;
  /** The working directory. @default {this program's} */
  readonly cwd?: string;
  /** Whom signals reach. */
  readonly killScope: KillScope;
}

/**
 * Starts a child, as the leader of a session and process group of its own. What root starts is in no supplementary group.
 *
 * @returns The child, or null where it could not be started: then `listener` has been told so as its end.
 */
export function spawnChild(
  start: SpawnOptions,
  output: ChildOutput,
  listener: ChildListener,
  clock: Clock,
): Child | null {
  try {
    const cwd = start.cwd ?? substituteForOwn(listener);
    const placed = cwd === undefined ? start : { ...start, cwd };
    return new DenoChild(placed, startChild(placed), output, listener, clock);
  } catch (error) {
    // Whatever spawn throws, from a missing command to a TypeError for an invalid argument, is this child's end.
    output.end();
    listener.leaderExited({ type: "failed", reason: whyNotStarted(error, start) });
    listener.groupExited();
    return null;
  }
}

/** Whether it was told that this program's working directory is gone. */
let hasToldOfOwn = false;

/** Where a child runs that has no working directory of its own: undefined, in this program's; where that is gone, in `/`. */
function substituteForOwn(listener: ChildListener): string | undefined {
  try {
    Deno.cwd();
    hasToldOfOwn = false;
    return undefined;
  } catch (error) {
    // Where it may not be seen, the start shows whether it may be used.
    if (!(error instanceof Deno.errors.NotFound)) return undefined;
    if (!hasToldOfOwn) listener.warn('this program\'s working directory is gone: processes without a "cwd" run in /');
    hasToldOfOwn = true;
    return "/";
  }
}

function startChild(start: SpawnOptions): Deno.ChildProcess {
  const [command, ...args] = start.args;
  const env = start.env?.();
  return startLeader(env === undefined ? command : findCommand(command, env.PATH, start.cwd), {
    args,
    ...(env === undefined ? {} : { env, clearEnv: true }),
    stdin: start.stdin,
    stdout: "piped",
    stderr: "piped",
    ...(start.cwd === undefined ? {} : { cwd: start.cwd }),
    ...(start.uid === undefined ? {} : { uid: start.uid }),
    ...(start.gid === undefined ? {} : { gid: start.gid }),
  });
}

class DenoChild implements Child {
  readonly pid: number;
  refused = false;
  readonly #start: SpawnOptions;
  readonly #listener: ChildListener;
  readonly #clock: Clock;
  readonly #child: Deno.ChildProcess;
  readonly #pumps: { finish(): void }[];
  #lastSignal: StopSignal | null = null;
  #killedAt = Infinity;
  #exitedAt = Infinity;
  #isEmpty = false;

  constructor(
    start: SpawnOptions,
    child: Deno.ChildProcess,
    output: ChildOutput,
    listener: ChildListener,
    clock: Clock,
  ) {
    this.pid = child.pid;
    this.#start = start;
    this.#child = child;
    this.#listener = listener;
    this.#clock = clock;
    const stdout = pump(child.stdout, output.stdout, clock);
    const stderr = pump(child.stderr, output.stderr, clock);
    this.#pumps = [stdout, stderr];
    Promise.all([stdout.done, stderr.done]).then(() => output.end());
    exitOf(child).then((exit) => this.#exited(exit));
  }

  signal(signal: StopSignal): void {
    this.#lastSignal = signal;
    if (signal === "SIGKILL") this.#killedAt = Math.min(this.#killedAt, this.#clock.now());
    this.#send();
  }

  retry(): void {
    if (this.refused) this.#send();
  }

  whoIsLeft(): string {
    return whoIsLeft(this.pid, this.#start.killScope);
  }

  #send(): void {
    const isGone = this.#isEmpty || this.#start.killScope === "process" && this.#exitedAt < Infinity;
    if (isGone || this.#lastSignal === null) return;
    const wasRefused = this.refused;
    this.refused = false;
    try {
      askToEnd(this.#target, this.#lastSignal);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return this.#sendAlone(this.#lastSignal);
      this.refused = true;
      if (!wasRefused) this.#listener.warn(`cannot send ${this.#lastSignal} to pid ${this.pid}: ${faultOf(error)}`);
    }
  }

  /** Signals the leader before its group is there. */
  #sendAlone(signal: StopSignal): void {
    // Of one that ended by a signal that it cannot name, Deno would signal the pid, which may be a stranger's by now.
    if (this.#exitedAt < Infinity) return;
    try {
      this.#child.kill(signal);
      if (signal !== "SIGKILL") this.#child.kill("SIGCONT");
    } catch {
      // It ended a moment ago, and its end is on its way here.
    }
  }

  get #target(): number {
    return this.#start.killScope === "group" ? -this.pid : this.pid;
  }

  #exited(exit: Exit): void {
    this.#exitedAt = this.#clock.now();
    // The group is asked about before anybody is told, so that nobody signals one that is empty already.
    const isEmpty = this.#start.killScope === "process" || !this.#isGroupAlive();
    this.#isEmpty = isEmpty;
    this.#listener.leaderExited(exit);
    if (isEmpty) this.#emptied();
    else this.#pollGroup(FIRST_POLL_MS);
  }

  #isGroupAlive(): boolean {
    try {
      Deno.kill(-this.pid, 0);
      return true;
    } catch (error) {
      // Anything else, as a refusal, means that somebody is there.
      return !(error instanceof Deno.errors.NotFound);
    }
  }

  #pollGroup(delayMs: number): void {
    this.#clock.after(delayMs, () => {
      if (!this.#isGroupAlive()) return this.#emptied();
      if (this.refused || this.#clock.now() < Math.max(this.#killedAt, this.#exitedAt) + GIVE_UP_MS) {
        return this.#pollGroup(Math.min(2 * delayMs, MAX_POLL_MS));
      }
      if (hasLiveMember(this.pid)) return this.#pollGroup(GIVE_UP_MS);
      this.#listener.warn(`process group ${this.pid} still has members after SIGKILL (zombies?): given up`);
      this.#emptied();
    });
  }

  #emptied(): void {
    this.#isEmpty = true;
    // Nobody is left to read it, so closing cannot fail in a way that matters. What starts next may need its descriptor…
    if (this.#start.stdin === "piped") this.#child.stdin.close().catch(() => {});
    this.#listener.groupExited();
    // …but does not wait for this.
    for (const pump of this.#pumps) pump.finish();
  }
}

/**
 * Sends a stop signal to a process, or a group where `target` is negative, and then SIGCONT: who is stopped (SIGSTOP, SIGTSTP,
 * a debugger) could not act on it otherwise.
 *
 * @throws {Deno.errors.NotFound} Where nobody is there.
 */
export function askToEnd(target: number, signal: StopSignal): void {
  Deno.kill(target, signal);
  // Nothing keeps a stopped process from its death by SIGKILL.
  if (signal === "SIGKILL") return;
  try {
    Deno.kill(target, "SIGCONT");
  } catch (error) {
    // The signal has ended it, and nobody is left.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** How a child ended. */
export async function exitOf(child: Deno.ChildProcess): Promise<Exit> {
  try {
    const { code, signal } = await child.status;
    return signal === null ? { type: "code", code } : { type: "signal", signal };
  } catch (error) {
    const number = unnamedSignal(error);
    return { type: "signal", signal: number === undefined ? "a signal without a name" : `signal ${number}` };
  }
}
