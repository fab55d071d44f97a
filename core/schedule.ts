/**
 * A command that is run again and again, never twice at once, as one table: state × event.
 *
 * |              | plan(t, n)    | tick: now ≥ dueAt | tick: now ≥ stopAt, killAt, reportAt | leader-exited(e) | group-exited | stop       | kill       |
 * | ------------ | ------------- | ----------------- | -------------------------- | -------------- | ------- | ---------- | ---------- |
 * | **idle**     | dueAt = t ¹   | START             |                            | ×              | ×       | ended      | ended      |
 * | **running**  | dueAt = t ¹   | SKIP              | STOP, timed out            | REPORT(e), STOP | ×      | STOP, last | KILL, last |
 * | **stopping** | dueAt = t ¹   | SKIP              | KILL                       | REPORT(e)      | END     | last       | KILL, last |
 * | **killing**  | dueAt = t ¹   | SKIP              | STUCK                      | REPORT(e)      | END     | last       | last       |
 * | **ended**    | –             | –                 |                            | –              | –       | –          | –          |
 *
 * ¹ n runs that were due before t are counted as skipped · – nothing · × cannot happen: only reported
 *
 * - START: running, since now, stopAt = now + timeout; spawn. Plan the next run, unless there is only one (`isOnce`).
 * - SKIP: count the run as skipped, and plan the next one.
 * - STOP: stopping, killAt = now + grace; send SIGTERM to all that is left.
 * - last: no run follows; killAt is at most now + the time for a stop.
 * - KILL: killing; send SIGKILL.
 * - STUCK: report what is left. STOP, KILL and STUCK work as for a process: `ending.ts`.
 * - REPORT(e): report the end of the run. An exit code other than 0, a signal, a timeout and a failed start are
 *   failures, unless `stop` or `kill` caused them.
 * - END: ended after the last run, or after too many failures in a row; else idle.
 *
 * @module
 */

import { type EndStep, kill, passTime, requestStop } from "./ending.ts";
import type {
  ScheduleCounts,
  ScheduleEffect,
  ScheduleEnded,
  ScheduleEvent,
  ScheduleIdle,
  ScheduleKilling,
  SchedulePolicy,
  ScheduleRunEnd,
  ScheduleRunning,
  ScheduleState,
  ScheduleStopping,
} from "./schedule_state.ts";
import type { Exit } from "./types.ts";

/** The result of a step: the state to store, then the effects to perform, in order. */
export type ScheduleStep = readonly [state: ScheduleState, effects: readonly ScheduleEffect[]];

/** Why runs are skipped. */
const [BUSY, NO_TIME] = ["the previous run has not ended", "the scheduler was late (overloaded or suspended)"];

const UNEXPECTED: readonly ScheduleEffect[] = [{ type: "unexpected" }];

/** Returns whether an exit counts as a failure. */
export function isFailure(exit: Exit): boolean {
  return exit.type !== "code" || exit.code !== 0;
}

/**
 * Decides what happens to a scheduled command on an event.
 *
 * The caller follows the rules of {@linkcode step}: it (1) passes one event at a time, (2) reads the clock once for it,
 * (3) stores the state before it performs the effects, (4) answers each `spawn` with one `leader-exited` and then one
 * `group-exited`, and each `plan` with one `plan`, and (5) sends a `tick` at {@linkcode scheduleDeadline} or later.
 *
 * @param state The state before the event.
 * @param event What happened.
 * @param now The time, in milliseconds.
 * @param policy The settings of the command.
 *
 * @example
 * ```ts
 * import { SCHEDULE_BEGIN, stepSchedule } from "@ncolony/core";
 *
 * const policy = { timeoutMs: 60_000, graceMs: 5000, stopMs: Infinity, maxFailures: Infinity, isOnce: false };
 * const [planned] = stepSchedule(SCHEDULE_BEGIN, { type: "plan", dueAt: 0, passed: 0 }, 0, policy);
 * const [state, effects] = stepSchedule(planned, { type: "tick" }, 0, policy);
 * if (state.type !== "running" || effects[0].type !== "spawn") throw new Error("unexpected");
 * ```
 */
export function stepSchedule(
  state: ScheduleState,
  event: ScheduleEvent,
  now: number,
  policy: SchedulePolicy,
): ScheduleStep {
  if (state.type === "ended") return [state, []];
  if (event.type === "plan") return plan(state, event);
  switch (state.type) {
    case "idle":
      return idle(state, event, now, policy);
    case "running":
      return running(state, event, now, policy);
    default:
      return ending(state, event, now, policy);
  }
}

type Alive = Exclude<ScheduleState, ScheduleEnded>;

function plan(state: Alive, { dueAt, passed, why = NO_TIME }: Extract<ScheduleEvent, { type: "plan" }>): ScheduleStep {
  const skipped = state.skipped + passed;
  return [{ ...state, dueAt, skipped }, passed === 0 ? [] : [{ type: "skipped", count: passed, total: skipped, why }]];
}

function idle(state: ScheduleIdle, event: ScheduleEvent, now: number, policy: SchedulePolicy): ScheduleStep {
  switch (event.type) {
    case "tick": {
      if (now < state.dueAt) return [state, []];
      const stopAt = now + policy.timeoutMs;
      const next: ScheduleState = {
        ...state,
        type: "running",
        runs: state.runs + 1,
        since: now,
        stopAt,
        dueAt: Infinity,
      };
      return [next, policy.isOnce ? [{ type: "spawn" }] : [{ type: "spawn" }, { type: "plan" }]];
    }
    case "stop":
    case "kill":
      return [{ type: "ended", exit: null, hasGivenUp: false }, []];
    default:
      return [state, UNEXPECTED];
  }
}

function running(state: ScheduleRunning, event: ScheduleEvent, now: number, policy: SchedulePolicy): ScheduleStep {
  const stop = (why: Pick<ScheduleRunEnd, "exit" | "cause" | "isLast">, graceMs = policy.graceMs): ScheduleStep => {
    return endBy({ ...state, ...why }, requestStop("SIGTERM", now, now + graceMs));
  };
  const isLast = policy.isOnce;
  switch (event.type) {
    case "tick":
      if (now >= state.dueAt) return skip(state);
      if (now < state.stopAt) return [state, []];
      return after({ type: "timed out", run: state.runs }, stop({ exit: null, cause: "timeout", isLast }));
    case "leader-exited":
      return after(report(state, event.exit, now), stop({ exit: event.exit, cause: "exit", isLast }));
    case "stop":
      return stop({ exit: null, cause: "stop", isLast: true }, Math.min(policy.graceMs, policy.stopMs));
    case "kill":
      return endBy({ ...state, exit: null, cause: "stop", isLast: true }, kill(now));
    default:
      return [state, UNEXPECTED];
  }
}

function ending(
  state: ScheduleStopping | ScheduleKilling,
  event: ScheduleEvent,
  now: number,
  policy: SchedulePolicy,
): ScheduleStep {
  switch (event.type) {
    case "tick":
      return now >= state.dueAt ? skip(state) : endBy(state, passTime(state, now));
    case "leader-exited":
      return state.exit === null
        ? [{ ...state, exit: event.exit }, [report(state, event.exit, now)]]
        : [state, UNEXPECTED];
    case "group-exited":
      return end(state, policy);
    case "stop":
      if (state.type === "killing") return [{ ...state, isLast: true }, []];
      return [{ ...state, isLast: true, killAt: Math.min(state.killAt, now + policy.stopMs) }, []];
    case "kill":
      return state.type === "stopping"
        ? endBy({ ...state, isLast: true }, kill(now))
        : [{ ...state, isLast: true }, []];
    default:
      return [state, UNEXPECTED];
  }
}

function skip(state: ScheduleRunning | ScheduleStopping | ScheduleKilling): ScheduleStep {
  const skipped = state.skipped + 1;
  const effects: ScheduleEffect[] = [{ type: "skipped", why: BUSY, count: 1, total: skipped }, { type: "plan" }];
  return [{ ...state, skipped, dueAt: Infinity }, effects];
}

/** Combines a run with the state and the effects of its stop. */
function endBy(
  { runs, skipped, failures, dueAt, since, exit, cause, isLast }: ScheduleCounts & ScheduleRunEnd,
  [end, effects]: EndStep,
): ScheduleStep {
  return [{ runs, skipped, failures, dueAt, since, exit, cause, isLast, ...end }, effects];
}

function after(effect: ScheduleEffect, [state, effects]: ScheduleStep): ScheduleStep {
  return [state, [effect, ...effects]];
}

function report({ runs, since }: ScheduleCounts & { readonly since: number }, exit: Exit, now: number): ScheduleEffect {
  return { type: "report", run: runs, exit, durationMs: now - since };
}

function end(state: ScheduleStopping | ScheduleKilling, policy: SchedulePolicy): ScheduleStep {
  const { runs, skipped, dueAt, exit, cause } = state;
  if (exit === null) return [state, UNEXPECTED];
  const failures = cause === "timeout" || isFailure(exit) ? state.failures + 1 : 0;
  const hasGivenUp = cause !== "stop" && failures >= policy.maxFailures;
  if (state.isLast || hasGivenUp) return [{ type: "ended", exit, hasGivenUp }, []];
  return [{ type: "idle", runs, skipped, failures, dueAt }, []];
}
