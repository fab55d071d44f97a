import type { Exit, KillScope, StopSignal, Surroundings } from "@ncolony/core";
import { faultOf, unnamedSignal } from "../deno_errors.ts";
import type { Child, ChildListener, ChildOutput, Clock } from "../types.ts";
import { findCommand, whyNotStarted } from "./command.ts";
import { pump } from "./pump.ts";
import { startIn } from "./surroundings.ts";
import { hasLiveMember, whoIsLeft } from "./who_is_left.ts";

/** The first and the longest delay between checks of a group whose leader exited. Each is twice the one before. */
const FIRST_POLL_MS = 1;
const MAX_POLL_MS = 50;

/**
 * How long a group may keep members after SIGKILL and its leader's exit, in milliseconds. After that they are stuck, or
 * zombies that no process reaps. /proc, if it may be read, shows which, and is read again at this interval.
 */
const GIVE_UP_MS = 1000;

/** What to start, and how. A `Spec` has most of these. */
export interface SpawnOptions {
  /** The command and its arguments. */
  readonly args: readonly [string, ...string[]];
  /** Returns the environment. If it throws, the child cannot be started. @default {this program's environment} */
  readonly env?: () => Record<string, string>;
  /** Its stdin: `/dev/null`, or a pipe that nothing is written to and that stays open until its group is empty. */
  readonly stdin: "piped" | "null";
  /** The user id to run as. @default {this program's} */
  readonly uid?: number;
  /** The group id to run as. @default {this program's} */
  readonly gid?: number;
  /** The working directory. @default {this program's} */
  readonly cwd?: string;
  /** Its user, groups, umask, priorities and limit of open files; only together with `env`. @default {{}} */
  readonly surroundings?: Surroundings;
  /** Which processes signals are sent to. */
  readonly killScope: KillScope;
}

/**
 * Starts a child as the leader of its own session and process group. If root starts it, it has no supplementary groups.
 *
 * @returns The child. Null if it could not be started, which was reported to `listener` as its exit.
 */
export function spawnChild(
  start: SpawnOptions,
  output: ChildOutput,
  listener: ChildListener,
  clock: Clock,
): Child | null {
  try {
    const cwd = start.cwd ?? fallbackCwd(listener);
    const placed = cwd === undefined ? start : { ...start, cwd };
    return new DenoChild(placed, startChild(placed), output, listener, clock);
  } catch (error) {
    // Any error counts as the child's exit, from a missing command to a TypeError for an invalid argument.
    output.end();
    listener.leaderExited({ type: "failed", reason: whyNotStarted(error, start) });
    listener.groupExited();
    return null;
  }
}

/** Whether it was logged that this program's working directory is gone. */
let isLossLogged = false;

/** Returns the `cwd` of a child without one: `/` if this program's working directory is gone, else undefined. */
function fallbackCwd(listener: ChildListener): string | undefined {
  try {
    Deno.cwd();
    isLossLogged = false;
    return undefined;
  } catch (error) {
    // If it may not be looked up, the start shows whether it can be used.
    if (!(error instanceof Deno.errors.NotFound)) return undefined;
    if (!isLossLogged) {
      listener.warn('the current working directory no longer exists: processes without a "cwd" run in /');
    }
    isLossLogged = true;
    return "/";
  }
}

function startChild(start: SpawnOptions): Deno.ChildProcess {
  const [command, ...args] = start.args;
  const env = start.env?.();
  const path = env === undefined ? command : findCommand(command, env.PATH, start.cwd);
  return startIn({ surroundings: {}, ...start }, path, {
    args,
    ...(env === undefined ? {} : { env, clearEnv: true }),
    stdin: start.stdin,
    stdout: "piped",
    stderr: "piped",
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
      requestStop(this.#target, this.#lastSignal);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return this.#sendAlone(this.#lastSignal);
      this.refused = true;
      if (!wasRefused) this.#listener.warn(`cannot send ${this.#lastSignal} to pid ${this.pid}: ${faultOf(error)}`);
    }
  }

  /** Signals the leader while its group does not exist yet. */
  #sendAlone(signal: StopSignal): void {
    // If a signal that Deno cannot name ended it, Deno would signal the pid, which another process may have.
    if (this.#exitedAt < Infinity) return;
    try {
      this.#child.kill(signal);
      if (signal !== "SIGKILL") this.#child.kill("SIGCONT");
    } catch {
      // It exited a moment ago, and that is about to be reported.
    }
  }

  get #target(): number {
    return this.#start.killScope === "group" ? -this.pid : this.pid;
  }

  #exited(exit: Exit): void {
    this.#exitedAt = this.#clock.now();
    // Check the group before the exit is reported, so that no signal is sent to an empty group.
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
      // Any other error, such as a missing permission, means that the group has members.
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
      this.#listener.warn(
        `process group ${this.pid} still has members after SIGKILL (zombies?): no longer waiting for them`,
      );
      this.#emptied();
    });
  }

  #emptied(): void {
    this.#isEmpty = true;
    // No process reads it any more, so errors do not matter. Close it first: the next start may need the descriptor.
    if (this.#start.stdin === "piped") this.#child.stdin.close().catch(() => {});
    this.#listener.groupExited();
    // The next start does not need to wait for the rest of the output.
    for (const pump of this.#pumps) pump.finish();
  }
}

/**
 * Sends a stop signal to a process, or to a group if `target` is negative. Then sends SIGCONT, because a process that
 * is stopped (SIGSTOP, SIGTSTP) could not act on the stop signal.
 *
 * @throws {Deno.errors.NotFound} If there is no such process or group.
 */
export function requestStop(target: number, signal: StopSignal): void {
  Deno.kill(target, signal);
  // SIGKILL ends stopped processes as well.
  if (signal === "SIGKILL") return;
  try {
    Deno.kill(target, "SIGCONT");
  } catch (error) {
    // The signal ended it, and no process is left.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Waits for a child to exit, and resolves with its exit code or signal. */
export async function exitOf(child: Deno.ChildProcess): Promise<Exit> {
  try {
    const { code, signal } = await child.status;
    return signal === null ? { type: "code", code } : { type: "signal", signal };
  } catch (error) {
    const number = unnamedSignal(error);
    return { type: "signal", signal: number === undefined ? "unknown signal" : `signal ${number}` };
  }
}
