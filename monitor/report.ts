import type { Log } from "@ncolony/host";
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
}
