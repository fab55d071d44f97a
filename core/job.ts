/**
 * What a scheduler reports about its job, and the file in which it does so.
 *
 * @module
 */

import type { Health } from "./health.ts";
import { isObject } from "./json.ts";
import { count, iso, milliseconds, objectIn, seconds, textOf, time } from "./json_values.ts";
import { type RunEnd, runEndOf, type RunResult } from "./run_end.ts";
import type { ScheduleStep } from "./schedule.ts";
import type { ScheduleEvent } from "./schedule_state.ts";
import type { Status } from "./status.ts";

/** A command that a scheduler runs again and again. Times are in milliseconds since 1970. */
export interface Job {
  /** Its name. */
  readonly name: string;
  /** Whether the last run that was counted was a success. Null before the first. */
  readonly isHealthy: boolean | null;
  /** Since when that is so. */
  readonly since: number;
  /** When the last run that was counted ended. Null before the first. */
  readonly last: number | null;
  /** Why that run was no success, such as `exit code 3`. Null if it was one. */
  readonly reason: string | null;
  /** When the scheduler was started that reports this. */
  readonly started: number;
  /** Whether a run is under way. */
  readonly isRunning: boolean;
  /** How many runs ended in each way, also under earlier schedulers. */
  readonly runs: Readonly<Record<RunResult, number>>;
  /** How many runs were skipped, also by earlier schedulers. */
  readonly skipped: number;
  /** How many of the last runs in a row were no success. */
  readonly failures: number;
  /** When the last success ended. Null if there was none. */
  readonly lastSuccess: number | null;
  /** How long the last run that was counted took, in milliseconds. Null before the first. */
  readonly lastDurationMs: number | null;
  /** When the next run is due. Null if that is not known, or never. */
  readonly next: number | null;
}

/** Returns a job at the start of its scheduler. `before` is what an earlier one reported, or null. */
export function beginJob(name: string, before: Job | null, wall: number): Job {
  const never = {
    isHealthy: null,
    since: wall,
    last: null,
    reason: null,
    runs: { success: 0, failure: 0, timeout: 0 },
    skipped: 0,
    failures: 0,
    lastSuccess: null,
    lastDurationMs: null,
  };
  return { ...before ?? never, name, started: wall, isRunning: false, next: null };
}

/**
 * Returns a job after an event.
 *
 * @param event What happened to the schedule.
 * @param step The state after that, and the effects.
 * @param now The time in milliseconds of the state's clock.
 * @param wall The same time in milliseconds since 1970.
 */
export function foldSchedule(job: Job, event: ScheduleEvent, step: ScheduleStep, now: number, wall: number): Job {
  const [state, effects] = step;
  if (state.type === "ended") return { ...job, isRunning: false, next: null };
  const end = runEndOf(step);
  let after = end === null ? job : foldRun(job, end, wall);
  if (event.type === "plan") {
    after = { ...after, next: state.dueAt === Infinity ? null : Math.round(wall + state.dueAt - now) };
  }
  for (const effect of effects) {
    if (effect.type === "spawn") after = { ...after, next: null };
    if (effect.type === "skipped") after = { ...after, skipped: after.skipped + effect.count };
  }
  return { ...after, isRunning: state.type !== "idle" };
}

function foldRun(job: Job, { result, reason, durationMs }: RunEnd, wall: number): Job {
  if (result === "stopped") return job;
  const isHealthy = result === "success";
  return {
    ...job,
    isHealthy,
    since: isHealthy === job.isHealthy ? job.since : wall,
    last: wall,
    reason,
    runs: { ...job.runs, [result]: job.runs[result] + 1 },
    failures: isHealthy ? 0 : job.failures + 1,
    lastSuccess: isHealthy ? wall : job.lastSuccess,
    lastDurationMs: durationMs,
  };
}

/**
 * Returns the health of the process that runs a job, which is that of the last run. Null if the process does not run, or
 * has not reported about the job since its start.
 */
export function jobHealth({ isHealthy, since, last, reason, started }: Job, process: Status): Health | null {
  if (process.state !== "running" || process.started === null || started < process.started) return null;
  return { isHealthy, since, last, reason, incarnation: null };
}

/** Formats the file `STATUS/.scheduler/NAME`. Times become ISO 8601, durations become seconds. */
export function formatJob(job: Job): string {
  return JSON.stringify({
    version: 1,
    job: job.name,
    healthy: job.isHealthy,
    since: iso(job.since),
    last: iso(job.last),
    reason: job.reason,
    incarnation: null,
    started: iso(job.started),
    running: job.isRunning,
    runs: job.runs,
    skipped: job.skipped,
    failures: job.failures,
    last_success: iso(job.lastSuccess),
    last_duration: seconds(job.lastDurationMs),
    next: iso(job.next),
  });
}

/** Parses such a file. Null if it is none. What is not as it should be counts as absent. Never throws. */
export function parseJob(name: string, text: string): Job | null {
  const told = objectIn(text);
  if (told === null) return null;
  const runs = isObject(told.runs) ? told.runs : {};
  return {
    name,
    isHealthy: typeof told.healthy === "boolean" ? told.healthy : null,
    since: time(told.since) ?? 0,
    last: time(told.last),
    reason: textOf(told.reason),
    started: time(told.started) ?? 0,
    isRunning: told.running === true,
    runs: {
      success: count(runs.success) ?? 0,
      failure: count(runs.failure) ?? 0,
      timeout: count(runs.timeout) ?? 0,
    },
    skipped: count(told.skipped) ?? 0,
    failures: count(told.failures) ?? 0,
    lastSuccess: time(told.last_success),
    lastDurationMs: milliseconds(told.last_duration),
    next: time(told.next),
  };
}
