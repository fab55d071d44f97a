/**
 * The life of one supervised process, as one table: state × event.
 *
 * |              | wanted(s)                | unwanted    | restart       | kill        | leader-exited(e) | group-exited | tick    |
 * | ------------ | ------------------------ | ----------- | ------------- | ----------- | --------- | ------- | -------------------- |
 * | **waiting**  | same: –; else START(s)   | gone        | START(spec)¹  | gone        | ×         | ×       | now ≥ until: START¹  |
 * | **running**  | same: –; else STOP(s)    | STOP(null)  | STOP(spec)⁴   | KILL(null)  | LEFT(e)   | ×       | –                    |
 * | **stopping** | same as next: –; else ² and ³ | next = null³ | startAt = now³ | KILL(null) | –        | NEXT    | now ≥ killAt: KILL(next) |
 * | **killing**  | same as next: –; else ²  | next = null | startAt = now | next = null, report what is left | –  | NEXT    | now ≥ reportAt: STUCK |
 * | **gone**     | START(s)                 | –           | –             | –           | ×         | ×       | 100 ms over: forget the last start |
 *
 * ¹ keeps the delay · ² next = s, startAt = now, delay = min · ³ reports when SIGKILL comes · ⁴ – if the process was
 * started after the restart was requested · – nothing · × cannot happen: only reported
 *
 * - START(s): delay = min unless kept; running, spawn s. Less than 100 ms after the last start: waiting until then,
 *   whatever the cause. A process that is gone remembers its last start for 100 ms.
 * - STOP(n): stopping, next = n, startAt = now, delay = min, killAt = now + kill time; send the stop signal. `unwanted`
 *   may set a latest time for SIGKILL, also for a process that is already stopping. If the kill time of the config
 *   changes meanwhile, killAt = stoppedAt + kill time.
 * - KILL(n): killing, next = n, killedAt = now, reportAt = now + 5 s; send SIGKILL.
 * - STUCK: reportAt = now + 10 s; report what is left. Nothing else is started until all of it is gone.
 * - LEFT(e): exited at an age below the threshold, or could not be started → startAt = now + delay (at least 1 s if it
 *   could not be started), delay = min(2 · delay, max); else startAt = now, delay = min. Then stopping, next = spec,
 *   killAt = now + kill time; send the stop signal to all that is left in the kill scope.
 * - NEXT: nothing next → gone; now ≥ startAt → START(next), keeping the delay; else waiting until startAt.
 *
 * So a requested stop never counts as a crash, and the next child is started at once after it. A restart that is
 * requested while the process is waiting starts it at once and keeps the backoff.
 *
 * @module
 */

import { type EndStep, kill, passTime, reportStuck, requestStop } from "./ending.ts";
import {
  deadline,
  type Effect,
  GONE,
  type Gone,
  type Killing,
  MIN_START_GAP_MS,
  type ProcessEvent,
  type ProcessState,
  type Running,
  type Stopping,
  type Then,
  type Waiting,
} from "./process.ts";
import type { Exit, RestartPolicy, Spec, StopRules } from "./types.ts";

/** The result of a step: the state to store, then the effects to perform, in order. */
export type Step = readonly [state: ProcessState, effects: readonly Effect[]];

/** What every state knows about the past. */
type Past = Pick<ProcessState, "startedAt">;

/**
 * Stops a leftover process of a previous monitor, by the rules of its config. The next child waits for that. A leftover
 * process is never adopted, because its pipes are broken.
 */
export function stopLeftover(rules: StopRules, now: number, policy: RestartPolicy): Step {
  const startedAt = -Infinity;
  return stop(rules, { next: null, startedAt, startAt: now, delayMs: policy.minDelayMs }, now, policy);
}

/** The least delay after a failed start, in milliseconds, whatever the policy says. */
export const MIN_SPAWN_RETRY_MS = 1000;

const NOTHING: readonly Effect[] = [];
const UNEXPECTED: readonly Effect[] = [{ type: "unexpected" }];

/**
 * Decides what happens to a process on an event.
 *
 * The caller (1) passes one event at a time, (2) reads a monotonic clock once for it, (3) stores the new state before
 * it performs the effects, (4) answers every `spawn` with exactly one `leader-exited` and then one `group-exited`, and
 * (5) sends a `tick` at {@linkcode deadline} or later.
 *
 * @param state The state before the event.
 * @param event What happened.
 * @param now The time, in milliseconds.
 * @param policy The delays and the kill time of the monitor.
 *
 * @example
 * ```ts
 * import { GONE, parseSpec, step } from "@ncolony/core";
 *
 * const policy = { thresholdMs: 1000, minDelayMs: 1000, maxDelayMs: 3_600_000, killTimeMs: 5000 };
 * const spec = parseSpec("web", '{"args": ["httpd"]}');
 * const [state, effects] = step(GONE, { type: "wanted", spec }, 0, policy);
 * if (state.type !== "running" || effects[0].type !== "spawn") throw new Error("unexpected");
 * ```
 */
export function step(state: ProcessState, event: ProcessEvent, now: number, policy: RestartPolicy): Step {
  switch (state.type) {
    case "waiting":
      return waiting(state, event, now, policy);
    case "running":
      return running(state, event, now, policy);
    case "stopping":
    case "killing":
      return ending(state, event, now, policy);
    case "gone":
      return gone(state, event, now, policy);
  }
}

function waiting(state: Waiting, event: ProcessEvent, now: number, policy: RestartPolicy): Step {
  switch (event.type) {
    case "wanted":
      return event.spec.source === state.spec.source
        ? [state, NOTHING]
        : start(state, event.spec, policy.minDelayMs, now);
    case "restart":
      return start(state, state.spec, state.delayMs, now);
    case "tick":
      return now >= state.until ? start(state, state.spec, state.delayMs, now) : [state, NOTHING];
    case "unwanted":
    case "kill":
      return end(state);
    case "leader-exited":
    case "group-exited":
      return [state, UNEXPECTED];
  }
}

function running(state: Running, event: ProcessEvent, now: number, policy: RestartPolicy): Step {
  switch (event.type) {
    case "wanted":
      return event.spec.source === state.spec.source ? [state, NOTHING] : replace(state, event.spec, now, policy);
    case "unwanted":
      return replace(state, null, now, policy, event.killBy);
    case "restart":
      if (state.startedAt > (event.askedAt ?? now)) return [state, NOTHING];
      return replace(state, state.spec, now, policy);
    case "kill":
      return killNow({ ...state, next: null, delayMs: policy.minDelayMs, startAt: now }, now);
    case "leader-exited":
      return leaderExited(state, event.exit, now, policy);
    case "group-exited":
      return [state, UNEXPECTED];
    case "tick":
      return [state, NOTHING];
  }
}

function ending(
  state: Stopping | Killing,
  event: ProcessEvent,
  now: number,
  policy: RestartPolicy,
): Step {
  switch (event.type) {
    case "wanted": {
      const { spec } = event;
      if (spec.source === state.next?.source) return [state, NOTHING];
      const after = { ...state, next: spec, startAt: now, delayMs: policy.minDelayMs };
      if (after.type === "killing" || !changesKillTime(state.next, spec)) return still(after, now);
      return still({ ...after, killAt: after.stoppedAt + (spec.killTimeMs ?? policy.killTimeMs) }, now);
    }
    case "unwanted":
      if (state.type === "killing") return [{ ...state, next: null }, NOTHING];
      return still({ ...state, next: null, killAt: Math.min(state.killAt, event.killBy ?? Infinity) }, now);
    case "restart":
      return still({ ...state, startAt: now }, now);
    case "kill":
      if (state.type === "stopping") return killNow({ ...state, next: null }, now);
      return [{ ...state, next: null }, [reportStuck(state, now)]];
    case "leader-exited":
      return [state, NOTHING];
    case "group-exited":
      if (state.next === null) return end(state);
      if (now >= state.startAt) return start(state, state.next, state.delayMs, now);
      return wait(state, state.next, state.delayMs, state.startAt);
    case "tick":
      return endBy(state, passTime(state, now));
  }
}

function gone(state: Gone, event: ProcessEvent, now: number, policy: RestartPolicy): Step {
  switch (event.type) {
    case "wanted":
      return start(state, event.spec, policy.minDelayMs, now);
    case "leader-exited":
    case "group-exited":
      return [state, UNEXPECTED];
    case "tick":
      return [now >= deadline(state) ? GONE : state, NOTHING];
    default:
      return [state, NOTHING];
  }
}

function start(past: Past, spec: Spec, delayMs: number, now: number): Step {
  if (now < past.startedAt + MIN_START_GAP_MS) return wait(past, spec, delayMs, now);
  return [{ type: "running", spec, delayMs, startedAt: now }, [{ type: "spawn", spec }]];
}

function wait({ startedAt }: Past, spec: Spec, delayMs: number, until: number): Step {
  const earliest = startedAt + MIN_START_GAP_MS;
  return [{ type: "waiting", spec, delayMs, startedAt, until: Math.max(until, earliest) }, NOTHING];
}

function end({ startedAt }: Past): Step {
  return [{ type: "gone", startedAt }, NOTHING];
}

/** Stops the running child. The next one is started at once after it. */
function replace(state: Running, next: Spec | null, now: number, policy: RestartPolicy, killBy?: number): Step {
  return stop(state.spec, { ...state, next, startAt: now, delayMs: policy.minDelayMs }, now, policy, killBy);
}

/** The leader exited by itself, or could not be started: stops the rest of its group, then starts it again. */
function leaderExited(state: Running, exit: Exit, now: number, policy: RestartPolicy): Step {
  const { spec, startedAt, delayMs } = state;
  const failed = exit.type === "failed";
  if (!failed && now - startedAt >= policy.thresholdMs) return replace(state, spec, now, policy);
  const startAt = now + (failed ? Math.max(delayMs, MIN_SPAWN_RETRY_MS) : delayMs);
  return stop(spec, { next: spec, startedAt, startAt, delayMs: Math.min(2 * delayMs, policy.maxDelayMs) }, now, policy);
}

/** Sends the stop signal. SIGKILL follows after the kill time, or at `killBy` if that is sooner. */
function stop(rules: StopRules, then: Then, now: number, policy: RestartPolicy, killBy = Infinity): Step {
  const killAt = Math.min(now + (rules.killTimeMs ?? policy.killTimeMs), killBy);
  return endBy(then, requestStop(rules.stopSignal, now, killAt));
}

function killNow(then: Then, now: number): Step {
  return endBy(then, kill(now));
}

function endBy(
  { next, delayMs, startedAt, startAt }: Then,
  [end, effects]: EndStep,
): Step {
  return [{ next, delayMs, startedAt, startAt, ...end }, effects];
}

/** Reports when SIGKILL comes, because a request waits for the stopping child to exit. */
function still(state: Stopping | Killing, now: number): Step {
  if (state.type === "killing") return [state, NOTHING];
  return [state, [{ type: "report-stopping", inMs: Math.max(0, state.killAt - now) }]];
}

/** Returns whether a new spec changes the kill time. If no spec was next, any kill time of its own is a change. */
function changesKillTime(before: Spec | null, { killTimeMs }: Spec): boolean {
  return before === null ? killTimeMs !== undefined : killTimeMs !== before.killTimeMs;
}
