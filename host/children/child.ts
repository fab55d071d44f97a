import type { Exit, StopSignal } from "@ncolony/core";
import { faultOf, unnamedSignal } from "../deno_errors.ts";
import type { Child, ChildListener, ChildOutput, Clock, Usage } from "../types.ts";
import type { ChildCgroup } from "../scopes/child_cgroup.ts";
import { pump } from "./pump.ts";
import type { Leader, Scope, ScopeKind } from "../scopes/scope.ts";

/** The first and the longest delay between checks of a group whose leader exited. Each is twice the one before. */
const FIRST_POLL_MS = 1;
const MAX_POLL_MS = 50;

/** How often it is checked whether a program that went to the background still runs, in milliseconds. */
const DAEMON_POLL_MS = 100;

/** How such a program ends. */
const DAEMON_EXIT: Exit = { type: "unknown", reason: "it went to the background" };

/**
 * How long a group may keep members after SIGKILL and its leader's exit, in milliseconds. After that they are stuck, or
 * zombies that no process reaps. /proc, if it may be read, shows which, and is read again at this interval.
 */
const GIVE_UP_MS = 1000;

/** What a {@linkcode DenoChild} works with. */
export interface ChildParts {
  /** Its cgroup. Null if it has none of its own. */
  readonly cgroup: ChildCgroup | null;
  /** Returns which processes belong to it. */
  readonly toScope: (leader: Leader) => Scope;
  /** Takes its output. */
  readonly output: ChildOutput;
  /** Receives its exit and warnings. */
  readonly listener: ChildListener;
  /** The time. */
  readonly clock: Clock;
  /** Its stdin, as in `SpawnOptions`. */
  readonly stdin: "piped" | "null" | Uint8Array<ArrayBuffer>;
  /** Whether its leader may exit with 0 while it goes on. */
  readonly daemonizes: boolean;
}

/** A child that Deno started. */
export class DenoChild implements Child, Leader {
  readonly pid: number;
  refused = false;
  readonly #child: Deno.ChildProcess;
  readonly #parts: ChildParts;
  readonly #scope: Scope;
  readonly #pumps: { finish(): void }[];
  #lastSignal: StopSignal | null = null;
  #killedAt = Infinity;
  #exitedAt = Infinity;
  #isEmpty = false;

  constructor(child: Deno.ChildProcess, parts: ChildParts) {
    const { output, clock } = parts;
    this.pid = child.pid;
    this.#child = child;
    this.#parts = parts;
    this.#scope = parts.toScope(this);
    const stdout = pump(child.stdout, output.stdout, clock);
    const stderr = pump(child.stderr, output.stderr, clock);
    this.#pumps = [stdout, stderr];
    if (typeof parts.stdin !== "string") this.#write(parts.stdin);
    Promise.all([stdout.done, stderr.done]).then(() => output.end());
    exitOf(child).then((exit) => this.#end(exit));
  }

  get scope(): ScopeKind {
    return this.#scope.kind;
  }

  get hasExited(): boolean {
    return this.#exitedAt < Infinity;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  signal(signal: StopSignal): void {
    this.#lastSignal = signal;
    if (signal === "SIGKILL") this.#killedAt = Math.min(this.#killedAt, this.#parts.clock.now());
    this.#send();
  }

  retry(): void {
    this.#tellNews(false);
    if (this.refused) this.#send();
  }

  whoIsLeft(): string {
    return this.#scope.whoIsLeft();
  }

  usage(): Usage | null {
    return this.#parts.cgroup?.usage() ?? null;
  }

  /** Writes all of its stdin. */
  async #write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    try {
      await writer.write(bytes);
      await writer.close();
    } catch {
      // It has closed its stdin, or has ended.
    }
  }

  /** Sends the last signal. If the scope can send it at once, it is sent when this returns. */
  async #send(): Promise<void> {
    const signal = this.#lastSignal;
    if (this.#isEmpty || signal === null) return;
    const wasRefused = this.refused;
    this.refused = false;
    try {
      const sent = this.#scope.signal(signal);
      if (sent !== undefined) await sent;
    } catch (error) {
      this.refused = true;
      if (!wasRefused) this.#parts.listener.warn(`cannot send ${signal} to pid ${this.pid}: ${faultOf(error)}`);
    }
  }

  /** Reports the leader's exit, and then the end of the scope. */
  async #end(exit: Exit): Promise<void> {
    this.#exitedAt = this.#parts.clock.now();
    if (this.#parts.daemonizes && exit.type === "code" && exit.code === 0) exit = await this.#followDaemon(exit);
    // If this is known at once, it comes before the report, so that no signal is sent to a group that is gone.
    const isEmpty = this.#isScopeEmpty();
    this.#isEmpty = isEmpty === true;
    this.#tellNews(true);
    this.#parts.listener.leaderExited(exit);
    // Without a wait, both are reported in the same turn.
    if (isEmpty !== true && !await isEmpty) await this.#waitUntilEmpty();
    this.#isEmpty = true;
    this.#parts.cgroup?.close();
    // No process reads it any more, so errors do not matter. Close it first: the next start may need the descriptor.
    if (this.#parts.stdin === "piped") this.#child.stdin.close().catch(() => {});
    this.#parts.listener.groupExited();
    // The next start does not need to wait for the rest of the output.
    for (const pump of this.#pumps) pump.finish();
  }

  /** Waits until a program that went to the background has ended, or is asked to stop. Resolves with its exit. */
  async #followDaemon(exit: Exit): Promise<Exit> {
    if (this.#lastSignal !== null || await this.#isScopeEmpty()) return exit;
    this.#tellOldest();
    while (this.#lastSignal === null && !await this.#isScopeEmpty()) await this.#pause(DAEMON_POLL_MS);
    return DAEMON_EXIT;
  }

  /** Waits until the scope is empty, or until only zombies are left that no process reaps. */
  async #waitUntilEmpty(): Promise<void> {
    for (let delayMs = FIRST_POLL_MS;; delayMs = Math.min(2 * delayMs, MAX_POLL_MS)) {
      await this.#pause(this.#isOverdue ? GIVE_UP_MS : delayMs);
      if (await this.#isScopeEmpty()) return;
      // What was started while the signal was sent did not get it.
      if (this.#killedAt < Infinity) this.#send();
      if (!this.#isOverdue || await this.#scope.hasLiveMember()) continue;
      this.#parts.listener.warn(
        `what pid ${this.pid} started is still there after SIGKILL (zombies?): no longer waiting for it`,
      );
      return;
    }
  }

  /** Whether SIGKILL and the leader's exit should have ended everything by now. */
  get #isOverdue(): boolean {
    return !this.refused && this.#parts.clock.now() >= Math.max(this.#killedAt, this.#exitedAt) + GIVE_UP_MS;
  }

  /** Returns whether no process is left, as far as that can be seen now. */
  #isScopeEmpty(): Promise<boolean> | boolean {
    const isEmpty = this.#scope.isEmpty();
    // No file descriptor is left, for example. It is asked again.
    return typeof isEmpty === "boolean" ? isEmpty : isEmpty.catch(() => false);
  }

  #tellOldest(): void {
    try {
      const pid = this.#parts.cgroup?.oldest() ?? null;
      if (pid !== null) this.#parts.listener.wentToBackground?.(pid);
    } catch {
      // No file descriptor is left.
    }
  }

  /** Reports what its limits did. */
  #tellNews(isLast: boolean): void {
    for (const message of this.#parts.cgroup?.news(isLast) ?? []) this.#parts.listener.warn(message);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#parts.clock.after(delayMs, resolve));
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
