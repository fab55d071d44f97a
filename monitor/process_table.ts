import { deadline, GONE, type ProcessState } from "@ncolony/core";
import type { Child } from "@ncolony/host";

/** What is known of one process. */
export interface Process {
  readonly name: string;
  /** What `step` made of it. */
  readonly state: ProcessState;
  /** When its state wants a tick; Infinity where it wants none, or has been given one. */
  readonly tickAt: number;
  /** What runs, or ran and may not be gone. */
  child: Child | null;
}

type Stored = { -readonly [K in keyof Process]: Process[K] };

/** All processes, by name. */
export class ProcessTable {
  readonly #processes = new Map<string, Stored>();

  /** The names of those of which anything is known. */
  get names(): string[] {
    return [...this.#processes.keys()];
  }

  /** Whether all are gone, as far as anybody waits for it. */
  get areAllGone(): boolean {
    return !this.#processes.values().some(({ state }) => state.type !== "gone");
  }

  /** When the first of them wants a tick, in the clock's milliseconds; else Infinity. */
  get deadline(): number {
    return this.#processes.values().reduce((earliest, { tickAt }) => Math.min(earliest, tickAt), Infinity);
  }

  /** All of them. */
  values(): Iterable<Process> {
    return this.#processes.values();
  }

  /** The process of a name; one that is gone where nothing is known of it. */
  get(name: string): Process {
    return this.#processes.get(name) ?? { name, state: GONE, tickAt: Infinity, child: null };
  }

  /**
   * Stores the state of a process.
   *
   * @param isLast Whether nothing will be started any more, so that nobody wants to know when it was started last.
   */
  store(process: Process, state: ProcessState, isLast: boolean): void {
    const stored: Stored = process;
    stored.state = state;
    stored.tickAt = deadline(state);
    // Somebody may be left of one that was given up on.
    const isOver = state.type === "gone" && (stored.tickAt === Infinity || isLast) && stored.child === null;
    if (isOver) this.#processes.delete(stored.name);
    else this.#processes.set(stored.name, stored);
  }

  /** Gives those whose tick is due, each once. */
  takeDue(now: number): string[] {
    const due = [...this.#processes.values()].filter(({ tickAt }) => tickAt <= now);
    for (const process of due) process.tickAt = Infinity;
    return due.map(({ name }) => name);
  }
}
