import {
  foldConfig,
  type Folded,
  foldStep,
  foldUnseenEnd,
  formatEvent,
  formatHistory,
  formatStatus,
  type HistoryEvent,
  type LogFields,
  logFields,
  newStatus,
  parseSavedHistory,
  parseStatus,
  type Status,
  type StatusConfig,
  type StatusState,
  type StatusStep,
} from "@ncolony/core";
import { Tail } from "@ncolony/host";
import type { TakenStep } from "./events.ts";

/** How many events of a process are kept. */
const MAX_EVENTS = 32;

/** How many of the last lines of stderr `STATUS/NAME` and `STATUS/.history/NAME` have. */
const [FEW_LINES, MANY_LINES] = [3, 20];

/** Is part of the event of a process that was disabled. A monitor that starts finds that again. */
const DISABLED = '"event":"disabled"';

/** The text of the files of one process. */
export interface StatusTexts {
  /** The text of `STATUS/NAME`. */
  readonly status: string;
  /** The text of `STATUS/.history/NAME`. */
  readonly history: string;
}

/** What {@linkcode Statuses} needs. */
export interface StatusesOptions {
  /** Returns the time, in milliseconds since 1970. */
  readonly wall: () => number;
  /** Returns the files that an earlier monitor wrote about a process. Null if there are none. */
  readonly saved: (name: string) => StatusTexts | null;
  /** Whether to keep what only the files show: the history and the end of stderr. */
  readonly isWhole: boolean;
  /** Records an event, which is formatted. Returns its id. */
  readonly record: (name: string, event: string) => number;
  /** Called after each change. */
  readonly onChange: (name: string) => void;
}

/** What is known about one process. */
interface Entry {
  status: Status;
  /** Formatted events, the last one last. */
  events: readonly string[];
  /** The id of the last event. Null if there was none. */
  lastEvent: number | null;
  /** The end of the stderr of the current start. */
  tail: Tail;
  /** The end of the stderr of the last start that ended unasked. */
  lastTail: Tail;
}

/** The statuses of all processes, in memory. They go on from what an earlier monitor wrote. */
export class Statuses {
  readonly #options: StatusesOptions;
  readonly #entries = new Map<string, Entry>();

  /** Creates statuses. Nothing is known yet. */
  constructor(options: StatusesOptions) {
    this.#options = options;
  }

  /** Whether something is known about a process. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Returns the status of a process. */
  get(name: string): Status {
    return this.#entries.get(name)?.status ?? newStatus(name, this.#options.wall());
  }

  /** Returns all statuses. */
  all(): Status[] {
    return [...this.#entries.values()].map(({ status }) => status);
  }

  /** Folds a step. Returns the fields of a log line about it. */
  step({ name, ...step }: TakenStep, facts: Pick<StatusStep, "child" | "cause">): LogFields {
    // A late event of a process that was forgotten.
    if (step.after.type === "gone" && !this.has(name)) return logFields(this.get(name));
    const entry = this.#entry(name);
    if (step.event.type === "leader-exited" && step.before.type === "running") entry.lastTail = entry.tail;
    const at = this.#options.wall();
    const folded = foldStep(entry.status, { ...step, ...facts, at });
    this.#fold(entry, folded, at);
    const [status, happened] = folded;
    // A step adds at most one event.
    return logFields(status, happened[0]);
  }

  /** Folds the change of a config. */
  config(name: string, config: StatusConfig): void {
    const entry = this.#entry(name);
    const at = this.#options.wall();
    this.#fold(entry, foldConfig(entry.status, config, at), at);
  }

  /** Takes up what an earlier monitor told about a process that it left running. */
  takeUp(name: string): void {
    this.#entries.set(name, this.#restored(name).entry);
  }

  /** Changes what no step shows: which processes do not end, the pid of what is left, and what becomes of it. */
  update(name: string, change: Partial<Pick<Status, "waitsFor" | "pid" | "rest">>): void {
    const entry = this.#entry(name);
    this.#fold(entry, [{ ...entry.status, ...change }, []], this.#options.wall());
  }

  /** Returns what keeps the end of the stderr of the next start. */
  newTail(name: string): Tail {
    return this.#entry(name).tail = new Tail();
  }

  /** Forgets a process. */
  forget(name: string): void {
    this.#entries.delete(name);
  }

  /** Formats the files of a process. */
  texts(name: string, thresholdMs: number, sha256: string | null): StatusTexts {
    const { status, events, lastEvent, lastTail } = this.#entry(name);
    const stderr = status.lastExit?.isAsked === false ? lastTail.lines(FEW_LINES) : [];
    return {
      status: formatStatus(status, { thresholdMs, stderr, sha256, lastEvent }),
      history: formatHistory(events, lastTail.lines(MANY_LINES)),
    };
  }

  #entry(name: string): Entry {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const { entry, was } = this.#restored(name);
    this.#entries.set(name, entry);
    if (was === "running" || was === "stopping" || was === "killing") {
      entry.lastTail = new Tail();
      const at = this.#options.wall();
      this.#fold(entry, foldUnseenEnd(entry.status, was !== "running", at), at);
    }
    return entry;
  }

  /** Restores what an earlier monitor told, and the state that the process had then. */
  #restored(name: string): { readonly entry: Entry; readonly was: StatusState | null } {
    const status = newStatus(name, this.#options.wall());
    const texts = this.#options.saved(name);
    const told = texts === null ? null : parseStatus(texts.status);
    if (texts === null || told === null) {
      return { entry: { status, events: [], lastEvent: null, tail: new Tail(), lastTail: new Tail() }, was: null };
    }
    const { state, incarnation, started, lastExit, exits } = told.status;
    const history = parseSavedHistory(texts.history);
    const entry: Entry = {
      status: { ...status, incarnation, started, lastExit, exits },
      events: history.events.slice(-MAX_EVENTS),
      lastEvent: told.facts.lastEvent,
      tail: new Tail(),
      lastTail: Tail.of(history.stderr.length > 0 ? history.stderr : told.facts.stderr),
    };
    return { entry, was: state };
  }

  #fold(entry: Entry, [status, happened]: Folded, at: number): void {
    if (status === entry.status && happened.length === 0) return;
    entry.status = status;
    if (!this.#options.isWhole) return status.state === "removed" ? this.forget(status.name) : undefined;
    const isNews = ({ event }: HistoryEvent) => event !== "disabled" || !entry.events.at(-1)?.includes(DISABLED);
    const added = happened.filter(isNews).map((event) => formatEvent(event, at));
    for (const event of added) entry.lastEvent = this.#options.record(status.name, event);
    entry.events = [...entry.events, ...added].slice(-MAX_EVENTS);
    this.#options.onChange(status.name);
  }
}
