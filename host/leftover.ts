import type { StopSignal } from "@ncolony/core";
import { faultOf } from "./fault.ts";
import type { PidDirectory, PidEntry } from "./pid_dir.ts";
import { membersOf, readBootId, readProcess, readVariable } from "./proc.ts";
import type { Child, ChildSink, Clock, FoundChild } from "./types.ts";

/** How often it is asked whether a child of an earlier monitor is still there: soon first, then more seldom. */
const FIRST_POLL_MS = 20;
const MAX_POLL_MS = 500;

/** What is known of a pid that an earlier monitor wrote down. */
type Identity = "ours" | "stranger" | "unknown";

/**
 * Tells whether what has a pid now is what an earlier monitor started under it, or left in its group.
 *
 * The record decides where there is one: pid, start time and boot are a process's identity. Without it, or when only the
 * group is left, the environment does: it begins with `NCOLONY_NAME`, unless a program overwrote it. Where neither may be
 * read, a pid that is there is `unknown`.
 */
export function identify({ name, pid, start, boot, scope }: PidEntry): Identity {
  if (!isThere(pid) && (scope === "process" || !isThere(-pid))) return "stranger";
  try {
    if (boot !== undefined && boot !== readBootId()) return "stranger";
    const leader = readProcess(pid);
    if (leader !== null && start !== undefined) return leader.start === start ? "ours" : "stranger";
    const candidates = leader !== null ? [pid] : scope === "group" ? membersOf(pid) : [];
    return candidates.some((pid) => readVariable(pid, "NCOLONY_NAME") === name) ? "ours" : "stranger";
  } catch {
    // /proc, or the environment of another user's process, may not be read.
    return "unknown";
  }
}

/** Finds the children that earlier monitors left in a pid directory, and removes the files of those that are gone. */
export async function findLeftovers(directory: PidDirectory, clock: Clock): Promise<FoundChild[]> {
  const entries = await directory.entries();
  return entries.flatMap((entry) => {
    const identity = identify(entry);
    if (identity === "stranger") {
      directory.remove(entry.name);
      return [];
    }
    const { name, pid } = entry;
    const open = (sink: ChildSink) => new Leftover(entry, identity, sink, clock);
    return [{ name, pid, isKnown: identity === "ours", open }];
  });
}

/**
 * A child of an earlier monitor. Its pipes are dead, so it is never adopted: it can only be stopped, or waited for.
 *
 * One whose identity is not known is not signalled, which it answers like a child that refuses.
 */
class Leftover implements Child {
  readonly pid: number;
  readonly refused: boolean;
  readonly #entry: PidEntry;
  readonly #sink: ChildSink;
  readonly #clock: Clock;

  /** Begins to wait for its end. */
  constructor(entry: PidEntry, identity: Identity, sink: ChildSink, clock: Clock) {
    this.pid = entry.pid;
    this.refused = identity === "unknown";
    this.#entry = entry;
    this.#sink = sink;
    this.#clock = clock;
    this.#poll(FIRST_POLL_MS);
  }

  signal(signal: StopSignal): void {
    // Asked again each time: since the last look it may have ended, and its pid been given to a stranger.
    if (this.refused || identify(this.#entry) !== "ours") return;
    try {
      Deno.kill(this.#entry.scope === "group" ? -this.pid : this.pid, signal);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      this.#sink.warn(`cannot send ${signal} to pid ${this.pid} of an earlier monitor: ${faultOf(error)}`);
    }
  }

  retry(): void {}

  #poll(delayMs: number): void {
    this.#clock.after(delayMs, () => {
      if (!isGone(this.#entry)) return this.#poll(Math.min(2 * delayMs, MAX_POLL_MS));
      this.#sink.exited({ type: "failed", reason: "started by an earlier monitor" });
      this.#sink.emptied();
    });
  }
}

/** Whether nobody is left, but those that ended and whom nobody has reaped yet. */
function isGone(entry: PidEntry): boolean {
  if (identify(entry) === "stranger") return true;
  try {
    const leader = readProcess(entry.pid);
    if (leader !== null && !leader.isZombie) return false;
    return entry.scope === "process" || membersOf(entry.pid).every((pid) => readProcess(pid)?.isZombie ?? true);
  } catch {
    // /proc may not be read, and something is there.
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
