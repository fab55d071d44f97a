import type { StopSignal } from "@ncolony/core";
import { faultOf } from "../deno_errors.ts";
import type { Child, ChildListener, Clock } from "../types.ts";
import { DEFAULT_RULES } from "./child_record.ts";
import type { Cgroup } from "../scopes/cgroup.ts";
import type { Logins } from "../scopes/logins.ts";
import { readProcess } from "../scopes/proc.ts";
import type { ProcView } from "../scopes/proc_view.ts";
import { killCgroup } from "../scopes/cgroup_scope.ts";
import { requestStop, type ScopeKind, signalEach } from "../scopes/scope.ts";
import { whoIsLeft } from "../scopes/who_is_left.ts";
import { identify, isEmpty, type Kind, kindOf, type Trace } from "./trace.ts";

/** The first and the longest delay between checks of a leftover process. Each is twice the one before. */
const FIRST_POLL_MS = 20;
const MAX_POLL_MS = 500;

/** How long to wait for a pid whose identity is unknown, in milliseconds: it may belong to another program. */
export const UNKNOWN_MS = 60_000;

/** The parts of a {@linkcode Leftover}. */
export interface LeftoverParts {
  /** The pid of one of them. 0 if none is known. */
  readonly pid: number;
  /** The processes that are known to exist. */
  readonly traces: readonly Trace[];
  /** The cgroups in which there are more of them. */
  readonly cgroups: readonly Cgroup[];
  /** The logins that they have opened. */
  readonly logins: readonly Logins[];
  /** Searches for more processes. Resolves with null when no more can appear. */
  readonly search: () => Promise<readonly Trace[] | null>;
  /** How processes are seen. */
  readonly view: ProcView;
  /** The time. */
  readonly clock: Clock;
  /** Receives its exit and warnings. */
  readonly listener: ChildListener;
}

/**
 * What earlier monitors left of a process. Its pipes are broken, so it is never adopted: it can only be stopped, or
 * waited for.
 *
 * A pid is not signaled while it is unknown whose it is. If that is so at the start, `refused` is true, as for a child
 * that may not be signaled.
 */
export class Leftover implements Child {
  readonly pid: number;
  readonly scope: ScopeKind;
  readonly refused: boolean;
  readonly #parts: LeftoverParts;
  #traces: readonly Trace[];
  #cgroups: readonly Cgroup[];
  /** Since when the identity of a pid is unknown, in the clock's milliseconds. */
  readonly #unknownSince = new Map<number, number>();
  #signal: StopSignal | null = null;

  /** Creates a leftover, and starts to wait for its exit. */
  constructor(parts: LeftoverParts) {
    this.#parts = parts;
    this.#traces = parts.traces;
    this.#cgroups = parts.cgroups;
    this.pid = parts.pid;
    this.scope = parts.cgroups.length > 0 ? "cgroup" : kindOf(parts.traces[0]?.rules ?? DEFAULT_RULES);
    this.refused = parts.traces.some((trace) => identify(trace, parts.view) === "unknown");
    this.#poll(FIRST_POLL_MS);
  }

  signal(signal: StopSignal): void {
    this.#signal = signal;
    // They can no longer be found when what opened them has ended.
    const logins = this.#logins();
    const reached = new Set(this.#traces.map(({ pid }) => pid));
    for (const trace of this.#traces) this.#send(trace, signal);
    for (const cgroup of this.#cgroups) this.#sendTo(cgroup, signal);
    // What opened a login has already got the signal with its session.
    for (const login of logins) this.#sendTo(login, signal, (pid) => !reached.has(readProcess(pid)?.session ?? 0));
  }

  retry(): void {}

  whoIsLeft(): string {
    const left = [
      ...this.#traces.map(({ pid, rules }) => whoIsLeft(pid, () => membersOf(kindOf(rules), pid, this.#parts.view))),
      ...[...this.#cgroups, ...this.#logins()].map((cgroup) => whoIsLeft(this.pid, () => cgroup.pids())),
    ];
    return left.join(", ") || "no known process";
  }

  usage(): null {
    return null;
  }

  /** Returns the cgroups of its logins that are not over. None if they cannot be seen now. */
  #logins(): Cgroup[] {
    try {
      return this.#parts.logins.flatMap((logins) => logins.cgroups());
    } catch {
      // No file descriptor is left.
      return [];
    }
  }

  async #sendTo(cgroup: Cgroup, signal: StopSignal, gets: (pid: number) => boolean = () => true): Promise<void> {
    try {
      if (signal === "SIGKILL") await killCgroup(cgroup);
      else await signalEach(() => cgroup.pids().filter(gets), signal);
    } catch (error) {
      this.#parts.listener.warn(`cannot send ${signal} to processes of a previous monitor: ${faultOf(error)}`);
    }
  }

  #send(trace: Trace, signal: StopSignal): void {
    // Check each time: it may have exited since the last check, and another process may have its pid.
    if (identify(trace, this.#parts.view) !== "ours") return;
    const { pid } = trace;
    const kind = kindOf(trace.rules);
    try {
      requestStop(kind === "process" ? pid : -pid, signal);
      if (kind !== "session") return;
      const group = this.#parts.view.membersOf("group", pid);
      const others = this.#parts.view.membersOf("session", pid).filter((member) => !group.includes(member));
      for (const other of others) requestStop(other, signal);
    } catch (error) {
      this.#parts.listener.warn(`cannot send ${signal} to pid ${trace.pid} of a previous monitor: ${faultOf(error)}`);
    }
  }

  /** Returns whether the wait is over: the process is gone, or its identity was unknown for too long. */
  #isOver(trace: Trace): boolean {
    const { view } = this.#parts;
    const identity = identify(trace, view);
    if (identity === "unknown") return this.#isUnknownTooLong(trace.pid);
    this.#unknownSince.delete(trace.pid);
    return identity === "stranger" || isEmpty(trace, view);
  }

  #isUnknownTooLong(pid: number): boolean {
    const { clock, listener } = this.#parts;
    const now = clock.now();
    const since = this.#unknownSince.get(pid) ?? now;
    this.#unknownSince.set(pid, since);
    if (now < since + UNKNOWN_MS) return false;
    listener.warn(
      `no longer waiting for pid ${pid}, recorded by a previous monitor: assuming that it is another program`,
    );
    return true;
  }

  #poll(delayMs: number): void {
    this.#parts.clock.after(delayMs, async () => {
      const { search, listener } = this.#parts;
      this.#traces = this.#traces.filter((trace) => !this.#isOver(trace));
      this.#cgroups = this.#cgroups.filter((cgroup) => !cgroup.remove());
      const found = await search();
      for (const trace of found ?? []) this.#take(trace);
      if (this.#traces.length + this.#cgroups.length + this.#logins().length > 0 || found !== null) {
        return this.#poll(Math.min(2 * delayMs, MAX_POLL_MS));
      }
      listener.leaderExited({ type: "unknown", reason: "started by a previous monitor" });
      listener.groupExited();
    });
  }

  /** Adds a process that has appeared since. */
  #take(trace: Trace): void {
    if (this.#traces.some(({ pid }) => pid === trace.pid)) return;
    this.#parts.listener.warn(`pid ${trace.pid} of a previous monitor is still running`);
    this.#traces = [...this.#traces, trace];
    if (this.#signal !== null) this.#send(trace, this.#signal);
  }
}

function membersOf(kind: Kind, pid: number, view: ProcView): number[] {
  return kind === "process" ? [pid] : view.membersOf(kind, pid);
}
