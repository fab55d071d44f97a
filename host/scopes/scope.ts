import type { KillScope, StopSignal } from "@ncolony/core";
import { membersOf } from "./proc.ts";
import { hasLiveMember, whoIsLeft } from "./who_is_left.ts";

/** The kind of a scope. */
export type ScopeKind = Exclude<KillScope, "all">;

/** The processes that belong to a child. Signals go to all of them. When none is left, the child has ended. */
export interface Scope {
  /** Which processes they are. */
  readonly kind: ScopeKind;
  /**
   * Sends a signal once to each process that is there, and then SIGCONT, unless it is SIGKILL.
   *
   * @throws {Error} If the system refuses that. A promise that it returns rejects in this case.
   */
  signal(signal: StopSignal): Promise<void> | void;
  /** Returns whether no process is left. It is asked only after the leader has exited. */
  isEmpty(): Promise<boolean> | boolean;
  /** Returns whether a process is left that is no zombie. */
  hasLiveMember(): Promise<boolean> | boolean;
  /** Describes the processes that are left. */
  whoIsLeft(): string;
}

/** The first process of a child. */
export interface Leader {
  /** Its pid, which is also the id of its process group and of its session. */
  readonly pid: number;
  /** Whether it has exited. From then on, another process may have its pid. */
  readonly hasExited: boolean;
  /** Sends it a signal, even before it leads a process group. @throws {Error} If that fails. */
  kill(signal: Deno.Signal): void;
}

/** The leader alone. */
export class ProcessScope implements Scope {
  readonly kind = "process";
  readonly #leader: Leader;

  /** Creates a scope. */
  constructor(leader: Leader) {
    this.#leader = leader;
  }

  signal(signal: StopSignal): void {
    if (!this.#leader.hasExited) requestStop(this.#leader.pid, signal);
  }

  isEmpty(): boolean {
    return true;
  }

  hasLiveMember(): boolean {
    return false;
  }

  whoIsLeft(): string {
    return whoIsLeft(this.#leader.pid, () => [this.#leader.pid]);
  }
}

/** The process group of the leader. */
export class GroupScope implements Scope {
  readonly kind = "group";
  readonly #leader: Leader;

  /** Creates a scope. */
  constructor(leader: Leader) {
    this.#leader = leader;
  }

  signal(signal: StopSignal): void {
    stopOr(-this.#leader.pid, signal, () => this.#signalLeader(signal));
  }

  isEmpty(): boolean {
    return !exists(-this.#leader.pid);
  }

  hasLiveMember(): boolean {
    return hasLiveMember(this.#leader.pid);
  }

  whoIsLeft(): string {
    return whoIsLeft(this.#leader.pid, () => membersOf("group", this.#leader.pid));
  }

  /** Signals the leader while its group does not exist yet. */
  #signalLeader(signal: StopSignal): void {
    // If a signal that Deno cannot name ended it, Deno would signal the pid, which another process may have.
    if (this.#leader.hasExited) return;
    try {
      this.#leader.kill(signal);
      if (signal !== "SIGKILL") this.#leader.kill("SIGCONT");
    } catch {
      // It exited a moment ago, and that is about to be reported.
    }
  }
}

/** How often processes are listed again while they start more of them. */
const MAX_ROUNDS = 10;

/**
 * Sends a stop signal once to each listed process, and lists them again until no new one is found. Rejects if the
 * system refuses one of the signals. The others are sent.
 */
export async function signalEach(
  list: () => Promise<readonly number[]> | readonly number[],
  signal: StopSignal,
): Promise<void> {
  const reached = new Set<number>();
  let refusal: { readonly error: unknown } | null = null;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const found = (await list()).filter((pid) => !reached.has(pid));
    if (found.length === 0) break;
    for (const pid of found) {
      reached.add(pid);
      try {
        requestStop(pid, signal);
      } catch (error) {
        refusal ??= { error };
      }
    }
  }
  if (refusal !== null) throw refusal.error;
}

/** Returns whether a process exists, or a group if `target` is negative. Zombies exist. */
export function exists(target: number): boolean {
  try {
    Deno.kill(target, 0);
    return true;
  } catch (error) {
    // Any other error, such as a missing permission, means that it exists.
    return !(error instanceof Deno.errors.NotFound);
  }
}

/**
 * Sends a stop signal to a process, or to a group if `target` is negative. Then sends SIGCONT, because a process that
 * is stopped (SIGSTOP, SIGTSTP) could not act on the stop signal.
 *
 * @throws {Error} If the system refuses that.
 */
export function requestStop(target: number, signal: StopSignal): void {
  stopOr(target, signal, () => {});
}

/** Does the same, and calls `onMissing` if there is no such process or group. */
function stopOr(target: number, signal: StopSignal, onMissing: () => void): void {
  try {
    Deno.kill(target, signal);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return onMissing();
    throw error;
  }
  // SIGKILL ends stopped processes as well.
  if (signal === "SIGKILL") return;
  try {
    Deno.kill(target, "SIGCONT");
  } catch (error) {
    // The signal ended it, and no process is left.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
