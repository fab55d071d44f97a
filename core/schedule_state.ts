import { type Asked, endDeadline, type EndEffect, type Killed } from "./ending.ts";
import type { Exit } from "./types.ts";

/** What all states but the last one carry. */
export interface ScheduleCounts {
  /** How many runs were started. */
  readonly runs: number;
  /** How many were skipped, because the one before still went on. */
  readonly skipped: number;
  /** How many failed in a row. */
  readonly failures: number;
  /** When the next run is due, in the clock's milliseconds; Infinity where that is not planned yet, or never. */
  readonly dueAt: number;
}

/** How it stands with a scheduled command. All instants are milliseconds of a monotonic clock. */
export type ScheduleState = ScheduleIdle | ScheduleRunning | ScheduleStopping | ScheduleKilling | ScheduleEnded;

/** Nothing runs. */
export interface ScheduleIdle extends ScheduleCounts {
  /** Tells the states apart. */
  readonly type: "idle";
}

/** A run goes on. */
export interface ScheduleRunning extends ScheduleCounts {
  /** Tells the states apart. */
  readonly type: "running";
  /** When it was started. */
  readonly since: number;
  /** When it will be asked to end. */
  readonly stopAt: number;
}

/** A run's group was asked to end. */
export type ScheduleStopping = ScheduleCounts & ScheduleRunEnd & Asked;

/** A run's group got SIGKILL. */
export type ScheduleKilling = ScheduleCounts & ScheduleRunEnd & Killed;

/** No run will follow. */
export interface ScheduleEnded {
  /** Tells the states apart. */
  readonly type: "ended";
  /** How the last run ended, or null where there was none. */
  readonly exit: Exit | null;
  /** Whether too many failures in a row were the cause. */
  readonly hasGivenUp: boolean;
}

/** What is known of a run that ends. */
export interface ScheduleRunEnd {
  /** When it was started. */
  readonly since: number;
  /** How its leader ended, or null where that is still alive. */
  readonly exit: Exit | null;
  /** Why it was asked to end. */
  readonly cause: "exit" | "timeout" | "stop";
  /** Whether none will follow. */
  readonly isLast: boolean;
}

/** What can happen. */
export type ScheduleEvent =
  /** The next run is due then, and so many were due before that are left out, for this reason. */
  | { readonly type: "plan"; readonly dueAt: number; readonly passed: number; readonly why?: string }
  /** Time passed. */
  | { readonly type: "tick" }
  /** The leader ended, or could not be started. */
  | { readonly type: "leader-exited"; readonly exit: Exit }
  /** Nobody is left of the run. */
  | { readonly type: "group-exited" }
  /** No run is to follow, and the one that goes on is to end. */
  | { readonly type: "stop" }
  /** The same, without waiting. */
  | { readonly type: "kill" };

/** What must be done after a step, once its state is stored. */
export type ScheduleEffect =
  /** Start the command; its ends come back as `leader-exited` and `group-exited`. */
  | { readonly type: "spawn" }
  /** End the run. */
  | EndEffect
  /** Say when the next run is due: a `plan` comes back. */
  | { readonly type: "plan" }
  /** Tell that a run took longer than it may. */
  | { readonly type: "timed out"; readonly run: number }
  /** Tell a run's end. */
  | { readonly type: "report"; readonly run: number; readonly exit: Exit; readonly durationMs: number }
  /** Tell that runs were skipped: so many now, so many altogether. */
  | { readonly type: "skipped"; readonly count: number; readonly total: number; readonly why: string }
  /** The event cannot happen in that state: log it. */
  | { readonly type: "unexpected" };

/** What is set of a scheduled command. */
export interface SchedulePolicy {
  /** How long a run may take, in milliseconds. */
  readonly timeoutMs: number;
  /** How long it has to end when it is asked to, until SIGKILL, in milliseconds. */
  readonly graceMs: number;
  /** How long it has at the most where no run is to follow, until SIGKILL, in milliseconds; Infinity: its grace. */
  readonly stopMs: number;
  /** After so many failures in a row none follows; Infinity: they do not matter. */
  readonly maxFailures: number;
  /** Whether there is one run and no more. */
  readonly isOnce: boolean;
}

/** The state before anything happened. */
export const SCHEDULE_BEGIN: ScheduleState = { type: "idle", runs: 0, skipped: 0, failures: 0, dueAt: Infinity };

/** When a state wants a `tick`, in milliseconds of its clock; Infinity where it wants none. */
export function scheduleDeadline(state: ScheduleState): number {
  switch (state.type) {
    case "running":
      return Math.min(state.dueAt, state.stopAt);
    case "stopping":
    case "killing":
      return Math.min(state.dueAt, endDeadline(state));
    case "ended":
      return Infinity;
    default:
      return state.dueAt;
  }
}
