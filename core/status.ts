/**
 * What `status` and `why` tell about a process: its state, how it came to it, and what is wrong, folded from the steps
 * of its life and the changes of its config.
 *
 * Times are in milliseconds since 1970, durations in milliseconds.
 *
 * @module
 */

import { type Cause, changedKeys, joinCauses } from "./cause.ts";
import { countExit, type ExitCounts, NO_EXITS } from "./exit_counts.ts";
import type { ProcessEvent, ProcessState } from "./process.ts";
import type { Exit, KillScope } from "./types.ts";

/** The states of a process, as `status` names them. */
export const STATUS_STATES = [
  "running",
  "waiting",
  "stopping",
  "killing",
  // Its config says that it must not run.
  "disabled",
  // Its config was never valid.
  "invalid",
  // The monitor ended, or has not started it yet.
  "stopped",
  // Its config is gone.
  "removed",
] as const;

/** One of {@linkcode STATUS_STATES}. */
export type StatusState = typeof STATUS_STATES[number];

/** How a process ended, or why it could not be started. */
export interface LastExit {
  /** How it ended. */
  readonly exit: Exit;
  /** When. */
  readonly at: number;
  /** How long it had run. Null if that is unknown. */
  readonly livedMs: number | null;
  /** Whether somebody had asked for its end. */
  readonly isAsked: boolean;
}

/** What is wrong with the file of a config, so that it is not in force. */
export interface StatusProblem {
  /** What is wrong. */
  readonly message: string;
  /** The path of the invalid key, or null. */
  readonly field: string | null;
  /** The line, counted from 1. Null if that is no place in the text. */
  readonly line: number | null;
  /** The column, counted from 1. */
  readonly column: number | null;
  /** Since when. */
  readonly since: number;
}

/** What is known about a process. */
export interface Status {
  /** Its name. */
  readonly name: string;
  /** Its state. */
  readonly state: StatusState;
  /** Since when it has that state. */
  readonly since: number;
  /** Its pid. Null if it does not run. */
  readonly pid: number | null;
  /** How often it was started, over all monitors. It tells one start from the next. Starts that failed count. */
  readonly incarnation: number;
  /** When it was last started. Null if never. */
  readonly started: number | null;
  /** Which processes end with it. Null before its first start. */
  readonly scope: Exclude<KillScope, "all"> | null;
  /** The restart delay. Null if it does not wait. */
  readonly delayMs: number | null;
  /** When it will be started. Null if it does not wait. */
  readonly nextStart: number | null;
  /** When it will be sent SIGKILL. Null if it is not stopping. */
  readonly killAt: number | null;
  /** The processes that do not end: `pid 52 (zombie that its parent does not reap)`. Null if it waits for none. */
  readonly waitsFor: string | null;
  /** How it last ended. Null if it never did. */
  readonly lastExit: LastExit | null;
  /** How often it ended, over all monitors. */
  readonly exits: ExitCounts;
  /** Why it is in this state. Null if nothing ever happened. */
  readonly cause: Cause | null;
  /** What is wrong with its file. Null if nothing is. */
  readonly problem: StatusProblem | null;
  /** The text of the config of the last start, or of the disabled config. Null if there is none. */
  readonly source: string | null;
  /** What becomes of it when it has ended. */
  readonly rest: "stopped" | "disabled" | "removed";
}

/** The states in which nothing of a process is left, and nothing will be started. */
const REST: readonly StatusState[] = ["disabled", "invalid", "stopped", "removed"];

/** Whether nothing of a process is left, and nothing will be started. */
export function isAtRest({ state }: Pick<Status, "state">): boolean {
  return REST.includes(state);
}

/** Something that happened, for the history of a process. */
export type HistoryEvent =
  | { readonly event: "started"; readonly pid: number; readonly incarnation: number; readonly cause: Cause | null }
  /** `cause`: why it should have been started, if it could not be. */
  | { readonly event: "exited"; readonly incarnation: number; readonly last: LastExit; readonly cause: Cause | null }
  | { readonly event: "waiting"; readonly delayMs: number; readonly nextStart: number }
  | { readonly event: "stop-requested"; readonly cause: Cause | null }
  | { readonly event: "killed" }
  | { readonly event: "problem"; readonly problem: StatusProblem }
  | { readonly event: "problem-gone" }
  | { readonly event: "disabled" }
  | { readonly event: "removed" };

/** A status, and what it adds to the history. */
export type Folded = readonly [status: Status, events: readonly HistoryEvent[]];

/** Returns the status of a process of which nothing is known. */
export function newStatus(name: string, since: number): Status {
  return {
    name,
    state: "stopped",
    since,
    pid: null,
    incarnation: 0,
    started: null,
    scope: null,
    delayMs: null,
    nextStart: null,
    killAt: null,
    waitsFor: null,
    lastExit: null,
    exits: NO_EXITS,
    cause: null,
    problem: null,
    source: null,
    rest: "stopped",
  };
}

/** One step of a process, as {@linkcode step} took it. */
export interface StatusStep {
  /** The state before the event. */
  readonly before: ProcessState;
  /** What happened. */
  readonly event: ProcessEvent;
  /** The state after the event. */
  readonly after: ProcessState;
  /** The time of the event, in milliseconds of the states' clock. */
  readonly now: number;
  /** The same time, in milliseconds since 1970. */
  readonly at: number;
  /** The child, if the event started one. Null if it started none, or failed to. */
  readonly child: { readonly pid: number; readonly scope: Exclude<KillScope, "all"> } | null;
  /** Who or what asked for it. Null if nobody did. */
  readonly cause: Cause | null;
}

/** Folds a step into a status. */
export function foldStep(status: Status, taken: StatusStep): Folded {
  const { before, event, after, at, cause } = taken;
  // A restart that a start answered before it was even asked for changes nothing, but is answered.
  const isAsked = cause !== null && (before !== after || event.type === "restart" && before.type === "running");
  let folded: Folded = [isAsked ? { ...status, cause: causeOf(status, taken, cause) } : status, []];
  if (event.type === "leader-exited") folded = foldExit(folded, taken, event.exit);
  const [now, events] = folded;
  const killAt = after.type === "stopping" ? at + after.killAt - taken.now : null;
  if (before.type === after.type) {
    const isMoved = before.type === "stopping" && after.type === "stopping" && before.killAt !== after.killAt;
    return isMoved ? [{ ...now, killAt }, events] : folded;
  }
  const moved: Status = { ...now, waitsFor: null, delayMs: null, nextStart: null, killAt: null };
  switch (after.type) {
    case "running":
      return foldStart([moved, events], taken, after.spec.source);
    case "waiting": {
      const [delayMs, nextStart] = [after.until - taken.now, at + after.until - taken.now];
      const waiting: Status = { ...moved, state: "waiting", since: at, pid: null, delayMs, nextStart };
      return [waiting, [...events, { event: "waiting", delayMs, nextStart }]];
    }
    case "stopping":
    case "killing": {
      // Nothing was there to stop after a start that failed.
      if (event.type === "leader-exited" && event.exit.type === "failed") return [moved, events];
      const ending: Status = { ...moved, state: after.type, since: at, killAt };
      if (after.type === "killing") return [ending, [...events, { event: "killed" }]];
      return [ending, isAsked ? [...events, { event: "stop-requested", cause: ending.cause }] : events];
    }
    case "gone": {
      const gone: Status = { ...moved, state: moved.rest, since: at, pid: null };
      return [gone, moved.rest === "stopped" ? events : [...events, { event: moved.rest }]];
    }
  }
}

/** The cause after a request. A message joins those that the coming start, or the current one, answers as well. */
function causeOf(status: Status, { before, event, after }: StatusStep, cause: Cause): Cause {
  if (cause.kind === "config") {
    const isChange = event.type === "wanted" && status.source !== null;
    const reason = event.type === "unwanted" && status.rest !== "stopped" ? { reason: status.rest } : {};
    return { kind: "config", keys: isChange ? changedKeys(status.source, event.spec.source) : null, ...reason };
  }
  const isNew = before.type === "running" && after.type !== "running";
  return joinCauses(isNew ? null : status.cause, cause);
}

function foldStart([status, events]: Folded, { before, event, at, child }: StatusStep, source: string): Folded {
  const isDelayOver = event.type === "tick" && before.type === "waiting" && status.cause?.kind === "exit";
  const cause: Cause | null = isDelayOver ? { kind: "delay" } : status.cause;
  const incarnation = status.incarnation + 1;
  const started: Status = { ...status, cause, incarnation, started: at, source };
  // It never ran. Its exit follows, and tells why.
  if (child === null) return [started, events];
  const { pid, scope } = child;
  const running: Status = { ...started, state: "running", since: at, pid, scope };
  return [running, [...events, { event: "started", pid, incarnation, cause }]];
}

/** Folds that a process has ended while no monitor was there to see it. `isAsked`: it had been asked to. */
export function foldUnseenEnd(status: Status, isAsked: boolean, at: number): Folded {
  const exit: Exit = { type: "unknown", reason: "no monitor was there to see it" };
  const last: LastExit = { exit, at, livedMs: null, isAsked };
  const exited: Status = { ...status, lastExit: last, exits: countExit(status.exits, exit, isAsked) };
  return [exited, [{ event: "exited", incarnation: status.incarnation, last, cause: null }]];
}

function foldExit([status, events]: Folded, { before, at, now }: StatusStep, exit: Exit): Folded {
  const isAsked = before.type !== "running";
  const hasLived = exit.type !== "failed" && before.startedAt > -Infinity;
  const last: LastExit = { exit, at, livedMs: hasLived ? now - before.startedAt : null, isAsked };
  const exited: Status = {
    ...status,
    pid: null,
    lastExit: last,
    exits: countExit(status.exits, exit, isAsked),
    cause: isAsked ? status.cause : { kind: "exit" },
    state: exit.type === "failed" ? "waiting" : status.state,
  };
  const cause = exit.type === "failed" ? status.cause : null;
  return [exited, [...events, { event: "exited", incarnation: status.incarnation, last, cause }]];
}
