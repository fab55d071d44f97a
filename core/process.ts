import { endDeadline, type EndEffect, type KillPhase, type StopPhase } from "./ending.ts";
import type { Exit, Spec } from "./types.ts";

/**
 * The state of one supervised process. Times (`until`, `startedAt`, `startAt`, `stoppedAt`, `killAt`, `killedAt`,
 * `reportAt`) are in milliseconds of a monotonic clock. Durations (`delayMs`) are in milliseconds.
 */
export type ProcessState = Waiting | Running | Stopping | Killing | Gone;

/** The process is not running. It will be started at `until`. */
export interface Waiting {
  /** Identifies the state. */
  readonly type: "waiting";
  /** What will be started. */
  readonly spec: Spec;
  /** The restart delay after the next crash, which is an exit within the threshold. */
  readonly delayMs: number;
  /** When the process was started last; -Infinity: never. */
  readonly startedAt: number;
  /** When the process will be started. */
  readonly until: number;
}

/** The leader of the process is alive as far as is known. */
export interface Running {
  /** Identifies the state. */
  readonly type: "running";
  /** What was started. */
  readonly spec: Spec;
  /** The restart delay after the next crash, which is an exit within the threshold. */
  readonly delayMs: number;
  /** When the process was started. */
  readonly startedAt: number;
}

/** What follows when a process has exited. */
export interface Then {
  /** What runs next, or null. */
  readonly next: Spec | null;
  /** The restart delay after the next crash, which is an exit within the threshold. */
  readonly delayMs: number;
  /** When the process was started; -Infinity: by a previous monitor. */
  readonly startedAt: number;
  /** The earliest time to start `next`. */
  readonly startAt: number;
}

/** The process group was sent its stop signal. When it is gone, `next` is started, but not before `startAt`. */
export type Stopping = Then & StopPhase;

/** The process group was sent SIGKILL. When it is gone, `next` is started, but not before `startAt`. */
export type Killing = Then & KillPhase;

/** The process is neither running nor wanted. */
export interface Gone {
  /** Identifies the state. */
  readonly type: "gone";
  /** When the process was started last; -Infinity: never, or so long ago that it does not matter. */
  readonly startedAt: number;
}

/** The initial state of every process. */
export const GONE: Gone = { type: "gone", startedAt: -Infinity };

/** The least time between two starts of a process, in milliseconds, whatever causes them. */
export const MIN_START_GAP_MS = 100;

/**
 * What can happen to a process.
 *
 * - `wanted`, `unwanted`: the config says so, from now on. `killBy` is the latest time of SIGKILL to the group.
 * - `restart`: a new child is requested. `askedAt` is the time of the request, if it was earlier: a child that was
 *   started since then is new enough.
 * - `kill`: the process must be stopped without waiting.
 * - `leader-exited`, `group-exited`: the two ends of a child, in this order, each once for every spawn. First the
 *   leader exited, or could not be started. Then no process is left in its group.
 * - `tick`: time passed.
 */
export type ProcessEvent =
  | { readonly type: "wanted"; readonly spec: Spec }
  | { readonly type: "unwanted"; readonly killBy?: number }
  | { readonly type: "restart"; readonly askedAt?: number }
  | { readonly type: "kill" }
  | { readonly type: "leader-exited"; readonly exit: Exit }
  | { readonly type: "group-exited" }
  | { readonly type: "tick" };

/**
 * What must be done after a step, once its state is stored.
 *
 * - `spawn`: start a child. Report its ends as `leader-exited` and `group-exited`.
 * - `signal`: send the signal to all processes that are left of the child, which may be none.
 * - `report-stopping`: report that a request waits for the child to exit, and that SIGKILL follows in `inMs`.
 * - `report-stuck`: report the processes that are left of the child this long after SIGKILL.
 * - `unexpected`: the event cannot happen in this state. Log it; nothing else changes.
 */
export type Effect =
  | { readonly type: "spawn"; readonly spec: Spec }
  | EndEffect
  | { readonly type: "report-stopping"; readonly inMs: number }
  | { readonly type: "unexpected" };

/** Returns when a state needs a `tick`, in milliseconds of its clock; Infinity if it needs none. */
export function deadline(state: ProcessState): number {
  switch (state.type) {
    case "waiting":
      return state.until;
    case "stopping":
    case "killing":
      return endDeadline(state);
    case "gone":
      return state.startedAt === -Infinity ? Infinity : state.startedAt + MIN_START_GAP_MS;
    default:
      return Infinity;
  }
}
