import { endDeadline, type EndEffect, type KillPhase, type StopPhase } from "./ending.ts";
import type { Exit } from "./types.ts";

/** The fields of all states but the last. */
export interface ScheduleCounts {
  /** The number of runs that were started. */
  readonly runs: number;
  /** The number of runs that were skipped: the previous run was still running, or their time had passed. */
  readonly skipped: number;
  /** The number of failures in a row. */
  readonly failures: number;
  /** When the next run is due, in milliseconds of the clock; Infinity: not planned yet, or never. */
  readonly dueAt: number;
}

/** The state of a scheduled command. All times are in milliseconds of a monotonic clock. */
export type ScheduleState = ScheduleIdle | ScheduleRunning | ScheduleStopping | ScheduleKilling | ScheduleEnded;

/** No run is under way. */
export interface ScheduleIdle extends ScheduleCounts {
  /** Identifies the state. */
  readonly type: "idle";
}

/** A run is under way. */
export interface ScheduleRunning extends ScheduleCounts {
  /** Identifies the state. */
  readonly type: "running";
  /** When the run was started. */
  readonly since: number;
  /** When the run times out. */
  readonly stopAt: number;
}

/** The process group of the run was sent SIGTERM. */
export type ScheduleStopping = ScheduleCounts & ScheduleRunEnd & StopPhase;

/** The process group of the run was sent SIGKILL. */
export type ScheduleKilling = ScheduleCounts & ScheduleRunEnd & KillPhase;

/** No run follows. */
export interface ScheduleEnded {
  /** Identifies the state. */
  readonly type: "ended";
  /** How the last run ended; null if it was stopped between runs. */
  readonly exit: Exit | null;
  /** Whether it ended because of too many failures in a row. */
  readonly hasGivenUp: boolean;
}

/** What is known of a run that is ending. */
export interface ScheduleRunEnd {
  /** When the run was started. */
  readonly since: number;
  /** How the leader ended; null if it is still alive. */
  readonly exit: Exit | null;
  /** Why the run is ending. */
  readonly cause: "exit" | "timeout" | "stop";
  /** Whether no run follows. */
  readonly isLast: boolean;
}

/** What can happen to a scheduled command. */
export type ScheduleEvent =
  /** The next run is due at `dueAt`. `passed` runs that were due before are skipped, for the reason `why`. */
  | { readonly type: "plan"; readonly dueAt: number; readonly passed: number; readonly why?: string }
  /** Time passed. */
  | { readonly type: "tick" }
  /** The leader exited, or could not be started. */
  | { readonly type: "leader-exited"; readonly exit: Exit }
  /** No process is left in the group of the run. */
  | { readonly type: "group-exited" }
  /** The run under way must end, and no other may follow. */
  | { readonly type: "stop" }
  /** Like `stop`, but with SIGKILL at once. */
  | { readonly type: "kill" };

/** What must be done after a step, once its state is stored. */
export type ScheduleEffect =
  /** Start the command. Report its ends as `leader-exited` and `group-exited`. */
  | { readonly type: "spawn" }
  /** Stop the run. */
  | EndEffect
  /** Find out when the next run is due, and report it as `plan`. */
  | { readonly type: "plan" }
  /** Report that a run timed out. */
  | { readonly type: "timed out"; readonly run: number }
  /** Report the end of a run. */
  | { readonly type: "report"; readonly run: number; readonly exit: Exit; readonly durationMs: number }
  /** Report that runs were skipped: `count` now, `total` so far. */
  | { readonly type: "skipped"; readonly count: number; readonly total: number; readonly why: string }
  /** The event cannot happen in this state: log it. */
  | { readonly type: "unexpected" };

/** The settings of a scheduled command. */
export interface SchedulePolicy {
  /** How long a run may take, in milliseconds. */
  readonly timeoutMs: number;
  /** The time between SIGTERM and SIGKILL, in milliseconds. */
  readonly graceMs: number;
  /** The most time between a `stop` and SIGKILL, in milliseconds; Infinity: `graceMs` is the only limit. */
  readonly stopMs: number;
  /** No run follows after this many failures in a row; Infinity: failures do not matter. */
  readonly maxFailures: number;
  /** Whether there is only one run. */
  readonly isOnce: boolean;
}

/** The initial state. */
export const SCHEDULE_BEGIN: ScheduleState = { type: "idle", runs: 0, skipped: 0, failures: 0, dueAt: Infinity };

/** Returns when a state needs a `tick`, in milliseconds of its clock; Infinity if it needs none. */
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
