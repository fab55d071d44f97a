import type { Exit, ProcessEvent, ProcessState } from "@ncolony/core";
import type { Log } from "@ncolony/host";

/** What a colony tells of; all durations are in milliseconds. */
export type ColonyEvent =
  /** A process was started. */
  | { readonly type: "started"; readonly name: string; readonly pid: number }
  /**
   * The leader of a process ended, asked to or not; or it could not be started, or an earlier monitor started it, so that
   * nobody knows its exit status (`exit.type` is `failed`, and `exit.reason` says which).
   */
  | { readonly type: "exited"; readonly name: string; readonly exit: Exit }
  /** A process died too soon, or could not be started, and is started again after this delay. */
  | { readonly type: "waiting"; readonly name: string; readonly delayMs: number }
  /** A process that is not wanted any more has ended, and so has all that it left in its group. */
  | { readonly type: "stopped"; readonly name: string }
  /** Something is wrong: with a config, a message, a directory (`name` is null) or a process. */
  | { readonly type: "problem"; readonly name: string | null; readonly message: string };

/** What became of one process by one event. */
export interface TakenStep {
  /** The name of the process. */
  readonly name: string;
  /** Its state before the event. */
  readonly before: ProcessState;
  /** What happened. */
  readonly event: ProcessEvent;
  /** Its state after the event. */
  readonly after: ProcessState;
  /** The time of the event, in the states' milliseconds. */
  readonly now: number;
  /** The pid of what runs, where something does. */
  readonly pid?: number;
}

/** What there is to tell of a step. */
export function* eventsOf({ name, before, event, after, now, pid }: TakenStep): Generator<ColonyEvent> {
  if (event.type === "leader-exited") yield { type: "exited", name, exit: event.exit };
  if (pid !== undefined) yield { type: "started", name, pid };
  if (before.type === after.type) return;
  if (after.type === "waiting") yield { type: "waiting", name, delayMs: after.until - now };
  if (after.type === "gone") yield { type: "stopped", name };
}

/** A log that also tells of what is wrong. */
export function withProblems(log: Log, onProblem: (problem: ColonyEvent) => void): Log {
  const problem = (message: string, name: string | null = null) => onProblem({ type: "problem", name, message });
  return {
    debug: (message, name) => log.debug(message, name),
    info: (message, name) => log.info(message, name),
    warn: (message, name) => {
      log.warn(message, name);
      problem(message, name);
    },
    error: (message, name) => {
      log.error(message, name);
      problem(message, name);
    },
  };
}
