import { beginJob, foldSchedule, type Job, type ScheduleEvent, type ScheduleStep } from "@ncolony/core";
import type { Clock, JobFile, RunListener } from "@ncolony/host";

/** Reports what happens to a job, in the status directory of a monitor. */
export class JobReport implements RunListener {
  readonly #name: string;
  readonly #file: JobFile;
  readonly #clock: Clock;
  #job: Job;

  /** Creates a report. Nothing is read or written yet. */
  constructor(name: string, file: JobFile, clock: Clock) {
    this.#name = name;
    this.#file = file;
    this.#clock = clock;
    this.#job = beginJob(name, null, clock.wall());
  }

  /** Goes on with what an earlier scheduler reported. */
  open(): void {
    this.#job = beginJob(this.#name, this.#file.read(), this.#clock.wall());
  }

  /** Notes an event. `now` is its time, in the clock's milliseconds. */
  note(event: ScheduleEvent, step: ScheduleStep, now: number): void {
    this.#job = foldSchedule(this.#job, event, step, now, this.#clock.wall());
  }

  /** Writes the report, unless it is up to date. What could not be written is tried again. */
  write(): void {
    this.#file.write(this.#job);
  }
}
