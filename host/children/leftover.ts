import type { StopRules, StopSignal } from "@ncolony/core";
import { faultOf } from "../deno_errors.ts";
import type { Child, ChildListener, Clock } from "../types.ts";
import { askToEnd } from "./child.ts";
import type { ProcView } from "./proc_view.ts";
import { whoIsLeft } from "./who_is_left.ts";

/** How often it is asked whether a child of an earlier monitor is still there: soon first, then more seldom. */
const FIRST_POLL_MS = 20;
const MAX_POLL_MS = 500;

/** So long it is waited for a pid of which nothing more is known, in milliseconds: it may be a stranger's. */
export const UNKNOWN_MS = 60_000;

/** What an earlier monitor started under a name, as far as it is known. */
export interface Trace {
  /** The name of the process. */
  readonly name: string;
  /** The pid of its leader. */
  readonly pid: number;
  /** When that started, in clock ticks since the boot; null where that is not known. */
  readonly start: string | null;
  /** In which boot of the machine that was; null where that is not known. */
  readonly boot: string | null;
  /** How it is stopped. */
  readonly rules: StopRules;
}

/** What is known of a pid that an earlier monitor wrote down. */
type Identity = "ours" | "stranger" | "unknown";

/**
 * Tells whether what has a pid now is what an earlier monitor started under it, or left in its group.
 *
 * The record decides where there is one: pid, start time and boot are a process's identity. Without it, or when only the
 * group is left, the environment does: it begins with `NCOLONY_NAME`, unless a program overwrote it. Where neither may be
 * read, a pid that is there is `unknown`.
 */
export function identify({ name, pid, start, boot, rules }: Trace, view: ProcView): Identity {
  const scope = rules.killScope;
  if (!isThere(pid) && (scope === "process" || !isThere(-pid))) return "stranger";
  try {
    if (boot !== null && boot !== view.bootId()) return "stranger";
    const leaderStart = view.startOf(pid);
    if (leaderStart !== null && start !== null) return leaderStart === start ? "ours" : "stranger";
    // Of a zombie nothing is to be read, but the group may live on.
    const candidates = !view.hasEnded(pid) ? [pid] : scope === "group" ? view.membersOf(pid) : [];
    return candidates.some((pid) => view.variableOf(pid, "NCOLONY_NAME") === name) ? "ours" : "stranger";
  } catch {
    // /proc, or the environment of another user's process, may not be read.
    return "unknown";
  }
}

/** How a {@linkcode Leftover} is made. */
export interface LeftoverParts {
  /** What is known to be there. */
  readonly traces: readonly Trace[];
  /** Looks for more of it; gives null when nothing more can appear. */
  readonly search: () => Promise<readonly Trace[] | null>;
  /** What it is seen by. */
  readonly view: ProcView;
  /** The time. */
  readonly clock: Clock;
  /** Is told its end. */
  readonly listener: ChildListener;
}

/**
 * What earlier monitors left of a process. Its pipes are dead, so it is never adopted: it can only be stopped, or waited for.
 *
 * Where it is not known whether a pid is ours or a stranger's, it is not signalled, which it answers like a child that
 * refuses.
 */
export class Leftover implements Child {
  readonly pid: number;
  readonly refused: boolean;
  readonly #parts: LeftoverParts;
  #traces: readonly Trace[];
  /** Since when it is not known whose a pid is. */
  readonly #unknownSince = new Map<number, number>();
  #signal: StopSignal | null = null;

  /** Begins to wait for its end. */
  constructor(parts: LeftoverParts) {
    this.#parts = parts;
    this.#traces = parts.traces;
    this.pid = parts.traces[0]?.pid ?? 0;
    this.refused = parts.traces.some((trace) => identify(trace, parts.view) === "unknown");
    this.#poll(FIRST_POLL_MS);
  }

  signal(signal: StopSignal): void {
    this.#signal = signal;
    for (const trace of this.#traces) this.#send(trace, signal);
  }

  retry(): void {}

  whoIsLeft(): string {
    const left = this.#traces.map(({ pid, rules }) => whoIsLeft(pid, rules.killScope));
    return left.join(", ") || "nobody who is known";
  }

  #send(trace: Trace, signal: StopSignal): void {
    // Asked again each time: since the last look it may have ended, and its pid been given to a stranger.
    if (identify(trace, this.#parts.view) !== "ours") return;
    try {
      askToEnd(trace.rules.killScope === "group" ? -trace.pid : trace.pid, signal);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      this.#parts.listener.warn(`cannot send ${signal} to pid ${trace.pid} of an earlier monitor: ${faultOf(error)}`);
    }
  }

  /** Whether it need not be waited for any more: it is gone, or it was not known for too long whose its pid is. */
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
      `no longer waits for pid ${pid}, which an earlier monitor wrote down: it is treated as another program`,
    );
    return true;
  }

  #poll(delayMs: number): void {
    this.#parts.clock.after(delayMs, async () => {
      const { search, listener } = this.#parts;
      this.#traces = this.#traces.filter((trace) => !this.#isOver(trace));
      const found = await search();
      for (const trace of found ?? []) this.#take(trace);
      if (this.#traces.length > 0 || found !== null) return this.#poll(Math.min(2 * delayMs, MAX_POLL_MS));
      listener.leaderExited({ type: "failed", reason: "exit status unknown, an earlier monitor started it" });
      listener.groupExited();
    });
  }

  /** Takes what has appeared meanwhile. */
  #take(trace: Trace): void {
    if (this.#traces.some(({ pid }) => pid === trace.pid)) return;
    this.#parts.listener.warn(`pid ${trace.pid} of an earlier monitor still runs`);
    this.#traces = [...this.#traces, trace];
    if (this.#signal !== null) this.#send(trace, this.#signal);
  }
}

/** Whether nobody is left, but those that ended and whom nobody has reaped yet. */
function isEmpty({ pid, rules }: Trace, view: ProcView): boolean {
  try {
    return view.hasEnded(pid) &&
      (rules.killScope === "process" || view.membersOf(pid).every((member) => view.hasEnded(member)));
  } catch {
    // It cannot be seen just now, and something is there.
    return false;
  }
}

function isThere(pid: number): boolean {
  try {
    Deno.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}
