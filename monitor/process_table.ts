import { deadline, GONE, type ProcessState } from "@ncolony/core";
import type { Child } from "@ncolony/host";

/** What is known about one process. */
export interface Process {
  readonly name: string;
  /** The last state that `step` returned. */
  readonly state: ProcessState;
  /** When its state needs a tick; Infinity if it needs none, or the tick was already queued. */
  readonly tickAt: number;
  /** The child, until its kill scope is empty; null if there is none. */
  child: Child | null;
}

type Stored = { -readonly [K in keyof Process]: Process[K] };

/** All processes, by name. */
export class ProcessTable {
  readonly #processes = new Map<string, Stored>();

  /** The names of all known processes. */
  get names(): string[] {
    return [...this.#processes.keys()];
  }

  /** Whether all processes are gone or were given up on. */
  get areAllGone(): boolean {
    return !this.#processes.values().some(({ state }) => state.type !== "gone");
  }

  /** When the first process needs a tick, in the clock's milliseconds; Infinity if none does. */
  get deadline(): number {
    return this.#processes.values().reduce((earliest, { tickAt }) => Math.min(earliest, tickAt), Infinity);
  }

  /** Returns all known processes. */
  values(): Iterable<Process> {
    return this.#processes.values();
  }

  /** Returns the process of a name. If it is unknown, its state is "gone". */
  get(name: string): Process {
    return this.#processes.get(name) ?? { name, state: GONE, tickAt: Infinity, child: null };
  }

  /**
   * Stores the state of a process.
   *
   * @param isLast Whether nothing will be started again, so that the time of the last start is no longer needed.
   */
  store(process: Process, state: ProcessState, isLast: boolean): void {
    const stored: Stored = process;
    stored.state = state;
    stored.tickAt = deadline(state);
    // A process that was given up on still has a child.
    const isOver = state.type === "gone" && (stored.tickAt === Infinity || isLast) && stored.child === null;
    if (isOver) this.#processes.delete(stored.name);
    else this.#processes.set(stored.name, stored);
  }

  /** Returns the names of the processes whose tick is due, each tick once. */
  takeDue(now: number): string[] {
    const due = [...this.#processes.values()].filter(({ tickAt }) => tickAt <= now);
    for (const process of due) process.tickAt = Infinity;
    return due.map(({ name }) => name);
  }
}
