import type { Child, FoundChild, Log } from "@ncolony/host";
import type { TakenStep } from "./events.ts";

/** What a report needs. */
export interface ReportOptions {
  /** Where it tells what is wrong. */
  readonly log: Log;
  /** Takes each step that changed something, when it has been done. */
  readonly onStep: (step: TakenStep) => void;
}

/** Tells in order what was done and what is wrong, the steps only when it is asked to: who acts does not wait for a log. */
export class Report {
  readonly #options: ReportOptions;
  readonly #onError: (error: unknown) => void;
  #steps: TakenStep[] = [];

  /** Makes one that has nothing to tell; `onError` takes what `onStep` throws. */
  constructor(options: ReportOptions, onError: (error: unknown) => void) {
    this.#options = options;
    this.#onError = onError;
  }

  /** Notes a step that was done. */
  did(step: TakenStep): void {
    this.#steps.push(step);
  }

  /** Tells the steps that were not told yet. */
  tell(): void {
    const steps = this.#steps;
    this.#steps = [];
    for (const step of steps) {
      try {
        this.#options.onStep(step);
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  /** Tells what happens as it should, after the steps before it. */
  info(message: string, process?: string): void {
    this.tell();
    this.#options.log.info(message, process);
  }

  /** Tells what somebody should look at, after the steps before it. */
  warn(message: string, process?: string): void {
    this.tell();
    this.#options.log.warn(message, process);
  }

  /** Tells what does not work, after the steps before it. */
  error(message: string, process?: string): void {
    this.tell();
    this.#options.log.error(message, process);
  }

  /** Tells of what an earlier monitor left running. */
  leftover({ name, pids, isKnown }: FoundChild): void {
    const which = `pid${pids.length > 1 ? "s" : ""} ${pids.join(", ")}`;
    if (pids.length === 0) {
      this.warn("gone -> stopping (an earlier monitor may just have started it)", name);
    } else if (isKnown) {
      this.warn(`gone -> stopping (${which} of an earlier monitor still runs)`, name);
    } else {
      this.error(
        `waits until ${which} is gone, which an earlier monitor wrote down, but no longer than 60 s: without ` +
          "--allow-all, and without sh and cat, nobody can tell whether it is this process or a stranger",
        name,
      );
    }
  }
}

/** What is wrong with a child so long after SIGKILL. */
export function whatIsStuck({ refused }: Child, afterMs: number): string {
  const seconds = afterMs < 1000 ? (afterMs / 1000).toFixed(1) : Math.round(afterMs / 1000);
  return refused ? "may not be signalled" : `does not end ${seconds} s after SIGKILL`;
}
