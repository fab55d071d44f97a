import type { Exit, ProcessEvent, ProcessState } from "@ncolony/core";
import type { Log } from "@ncolony/host";

/** An event of a colony. All durations are in milliseconds. */
export type ColonyEvent =
  /** A process was started. */
  | { readonly type: "started"; readonly name: string; readonly pid: number }
  /**
   * The leader of a process exited, whether or not it was asked to. `exit.type` is `failed` if it could not be started,
   * and `unknown` if another process started it, so that its exit status cannot be known. `exit.reason` says why.
   */
  | { readonly type: "exited"; readonly name: string; readonly exit: Exit }
  /** A process starts after this delay, because it crashed, could not be started, or was last started a moment ago. */
  | { readonly type: "waiting"; readonly name: string; readonly delayMs: number }
  /** A process that is no longer wanted has exited, with all that belongs to it. */
  | { readonly type: "stopped"; readonly name: string }
  /** Something is wrong with a config, a message, a directory (`name` is null) or a process. */
  | { readonly type: "problem"; readonly name: string | null; readonly message: string };

/** One event of a process, and how it changed the state. */
export interface TakenStep {
  /** The name of the process. */
  readonly name: string;
  /** Its state before the event. */
  readonly before: ProcessState;
  /** What happened. */
  readonly event: ProcessEvent;
  /** Its state after the event. */
  readonly after: ProcessState;
  /** The time of the event, in milliseconds of the states' clock. */
  readonly now: number;
  /** The pid, if the event started the process. */
  readonly pid?: number;
}

/** Yields the events of a step. */
export function* eventsOf({ name, before, event, after, now, pid }: TakenStep): Generator<ColonyEvent> {
  if (event.type === "leader-exited") yield { type: "exited", name, exit: event.exit };
  if (pid !== undefined) yield { type: "started", name, pid };
  if (before.type === after.type) return;
  if (after.type === "waiting") yield { type: "waiting", name, delayMs: after.until - now };
  if (after.type === "gone") yield { type: "stopped", name };
}

/** Wraps a log so that warnings and errors are also reported as events. */
export function withProblems(log: Log, onProblem: (problem: ColonyEvent) => void): Log {
  const problem = (message: string, name: string | null = null) => onProblem({ type: "problem", name, message });
  return {
    debug: (...line) => log.debug(...line),
    info: (...line) => log.info(...line),
    warn: (message, name, fields) => {
      log.warn(message, name, fields);
      problem(message, name);
    },
    error: (message, name, fields) => {
      log.error(message, name, fields);
      problem(message, name);
    },
  };
}
