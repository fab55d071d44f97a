import { type Asked, endDeadline, type EndEffect, type Killed } from "./ending.ts";
import type { Exit, Spec } from "./types.ts";

/**
 * The state of one supervised process. Instants (`until`, `startedAt`, `startAt`, `stoppedAt`, `killAt`, `killedAt`, `reportAt`) and
 * `delayMs`, the delay that the next instant death costs, are milliseconds of a monotonic clock.
 */
export type ProcessState = Waiting | Running | Stopping | Killing | Gone;

/** Not alive; starts at `until`. */
export interface Waiting {
  /** Tells the states apart. */
  readonly type: "waiting";
  /** What will be started. */
  readonly spec: Spec;
  /** The delay that the next instant death costs. */
  readonly delayMs: number;
  /** When it was started last; -Infinity where it never was. */
  readonly startedAt: number;
  /** When it will be started. */
  readonly until: number;
}

/** Its leader is alive as far as is known. */
export interface Running {
  /** Tells the states apart. */
  readonly type: "running";
  /** What was started. */
  readonly spec: Spec;
  /** The delay that the next instant death costs. */
  readonly delayMs: number;
  /** When it was started. */
  readonly startedAt: number;
}

/** What follows the end of a process. */
export interface Then {
  /** What runs next, or null. */
  readonly next: Spec | null;
  /** The delay that the next instant death costs. */
  readonly delayMs: number;
  /** When it was started; -Infinity where an earlier monitor did that. */
  readonly startedAt: number;
  /** When `next` may run. */
  readonly startAt: number;
}

/** Its group has been asked to end; then `next` runs, but not before `startAt`. */
export type Stopping = Then & Asked;

/** Its group got SIGKILL; then `next` runs, but not before `startAt`. */
export type Killing = Then & Killed;

/** Neither alive nor wanted. */
export interface Gone {
  /** Tells the states apart. */
  readonly type: "gone";
  /** When it was started last; -Infinity where it never was, or so long ago that it does not matter. */
  readonly startedAt: number;
}

/** The state of every process that nobody asked for yet. */
export const GONE: Gone = { type: "gone", startedAt: -Infinity };

/** The least time from one start of a process to its next, in milliseconds, whoever asks for it. */
export const MIN_START_GAP_MS = 100;

/**
 * What can happen to a process.
 *
 * - `wanted`, `unwanted`: its config says so, from now on. Where `killBy` is given, its group gets SIGKILL then at the latest.
 * - `restart`: somebody asks for a new child. Where `askedAt` is given, that was then: one that was started since is new enough.
 * - `kill`: the monitor is told to end it without waiting.
 * - `leader-exited`, `group-exited`: the two ends of a child, in this order, each once for every spawn. The leader ended, or could
 *   not be started; then nobody is left in its group.
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
 * - `spawn`: start a child; its ends come back as `leader-exited` and `group-exited`.
 * - `signal`: send it to whoever is left of the child, which may be nobody.
 * - `report-stopping`: tell a person that what was asked for waits for the end of the child, which gets SIGKILL then.
 * - `report-stuck`: tell a person who is left of the child so long after SIGKILL.
 * - `unexpected`: the event cannot happen in that state. Log it; nothing else changes.
 */
export type Effect =
  | { readonly type: "spawn"; readonly spec: Spec }
  | EndEffect
  | { readonly type: "report-stopping"; readonly inMs: number }
  | { readonly type: "unexpected" };

/** When a state wants a `tick`, in milliseconds of its clock; Infinity where it wants none. */
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
