import type { StopSignal } from "./types.ts";

/** A process, or a scheduled run, that was sent its stop signal. */
export interface StopPhase {
  /** Identifies the state. */
  readonly type: "stopping";
  /** When the stop signal was sent. */
  readonly stoppedAt: number;
  /** When SIGKILL will be sent. */
  readonly killAt: number;
}

/** A process, or a scheduled run, that was sent SIGKILL. */
export interface KillPhase {
  /** Identifies the state. */
  readonly type: "killing";
  /** When SIGKILL was sent. */
  readonly killedAt: number;
  /** When to report that it is still there. */
  readonly reportAt: number;
}

/** What must be done to stop a process, or a scheduled run. */
export type EndEffect =
  /** Send the signal to all processes that are left, which may be none. */
  | { readonly type: "signal"; readonly signal: StopSignal }
  /** Report the processes that are left this long after SIGKILL, in milliseconds. */
  | { readonly type: "report-stuck"; readonly afterMs: number };

/** What each function here returns: the part of the state that it decides, then the effects to perform, in order. */
export type EndStep = readonly [end: StopPhase | KillPhase, effects: readonly EndEffect[]];

/** A process that is still there this long after SIGKILL is stuck, in milliseconds. */
export const STUCK_MS = 5000;

/** How often a stuck process is reported again, in milliseconds. */
export const STUCK_AGAIN_MS = 10_000;

/** Sends the stop signal to a process, or a scheduled run. */
export function requestStop(signal: StopSignal, now: number, killAt: number): EndStep {
  return [{ type: "stopping", stoppedAt: now, killAt }, [{ type: "signal", signal }]];
}

/** Sends SIGKILL to a process, or a scheduled run. */
export function kill(now: number): EndStep {
  return [{ type: "killing", killedAt: now, reportAt: now + STUCK_MS }, [{ type: "signal", signal: "SIGKILL" }]];
}

/** Returns when {@linkcode passTime} has something to do. */
export function endDeadline(end: StopPhase | KillPhase): number {
  return end.type === "stopping" ? end.killAt : end.reportAt;
}

/** Sends SIGKILL at the end of the kill time. After that, reports what is left. */
export function passTime(end: StopPhase | KillPhase, now: number): EndStep {
  if (now < endDeadline(end)) return [end, []];
  if (end.type === "stopping") return kill(now);
  return [{ type: "killing", killedAt: end.killedAt, reportAt: now + STUCK_AGAIN_MS }, [reportStuck(end, now)]];
}

/** Reports what is left. */
export function reportStuck({ killedAt }: KillPhase, now: number): EndEffect {
  return { type: "report-stuck", afterMs: now - killedAt };
}
