import type { Effect, Killing, ProcessState, Stopping } from "./process.ts";
import type { RestartPolicy, Spec, StopRules } from "./types.ts";

/** What a step gives: the state to store, then the effects to perform, in order. */
export type Step = readonly [state: ProcessState, effects: readonly Effect[]];

/** What every state knows of the past. */
export type Past = Pick<ProcessState, "startedAt">;

/** What has not ended so long after SIGKILL is stuck: SIGKILL alone does not end it. */
export const STUCK_MS = 5000;

/** So often it is told of after that. */
export const STUCK_AGAIN_MS = 10_000;

/** What an end follows, and what follows it. */
type Then = Past & Pick<Stopping, "next" | "delayMs" | "startAt">;

/** Asks what is there to end, which gets SIGKILL after its kill time, or at `killBy` if that is sooner. */
export function stop(
  rules: StopRules,
  { next, delayMs, startedAt, startAt }: Then,
  now: number,
  policy: RestartPolicy,
  killBy = Infinity,
): Step {
  const killAt = Math.min(now + (rules.killTimeMs ?? policy.killTimeMs), killBy);
  const state = { type: "stopping", next, delayMs, startedAt, startAt, stoppedAt: now, killAt } as const;
  return [state, [{ type: "signal", signal: rules.stopSignal }]];
}

/** Sends SIGKILL to what is there. */
export function kill({ next, delayMs, startedAt, startAt }: Then, now: number): Step {
  const state = {
    type: "killing",
    next,
    delayMs,
    startedAt,
    startAt,
    killedAt: now,
    reportAt: now + STUCK_MS,
  } as const;
  return [state, [{ type: "signal", signal: "SIGKILL" }]];
}

/** Whether a person changed how long a process has to end: one that was not to run again, by a config that says so. */
export function changesKillTime(before: Spec | null, { killTimeMs }: Spec): boolean {
  return before === null ? killTimeMs !== undefined : killTimeMs !== before.killTimeMs;
}

/** What was asked for waits until what is there has ended. */
export function still(state: Stopping | Killing, now: number): Step {
  if (state.type === "killing") return [state, []];
  return [state, [{ type: "report-stopping", inMs: Math.max(0, state.killAt - now) }]];
}

/** Has a person told who is left so long after SIGKILL. */
export function reportStuck({ killedAt }: Killing, now: number): Effect {
  return { type: "report-stuck", afterMs: now - killedAt };
}
