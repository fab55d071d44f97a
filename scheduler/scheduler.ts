import {
  describeExit,
  describeStuck,
  type Exit,
  SCHEDULE_BEGIN,
  scheduleDeadline,
  type ScheduleEffect,
  type ScheduleEnded,
  type ScheduleEvent,
  type SchedulePolicy,
  type ScheduleState,
  stepSchedule,
  STUCK_MS,
} from "@ncolony/core";
import {
  type Child,
  type ChildListener,
  type ChildOutput,
  type Clock,
  EventQueue,
  exitCodeOf,
  type Log,
  logInternalError,
  NO_HEART,
  type ProgramService,
  Run,
  type Watchdog,
} from "@ncolony/host";
import type { JobReport } from "./job_report.ts";
import type { Times } from "./times.ts";

/** How often the wall clock is checked and a refused signal is sent again, in milliseconds. */
const CORRECT_MS = 10_000;

/** How long writing the last lines may take, in milliseconds. */
const FLUSH_MS = 1000;

/** What {@linkcode Scheduler} needs. */
export interface SchedulerParts {
  /** The time. */
  readonly clock: Clock;
  /** Starts the command. */
  readonly spawn: (output: ChildOutput, listener: ChildListener) => Child | null;
  /** When runs are due. */
  readonly times: Times;
  /** The time limits and the conditions to end. */
  readonly policy: SchedulePolicy;
  /** Where events and the command's lines go. */
  readonly output: { readonly log: Log; forRun(): ChildOutput; flush(deadlineMs: number): Promise<void> };
  /** The heartbeat of the loop. */
  readonly heart?: Watchdog;
  /** Reports the job to others. */
  readonly report?: JobReport;
}

/** Runs a command when it is due. It takes one event at a time, calls `stepSchedule`, and performs the effects. */
export class Scheduler implements ProgramService {
  readonly #parts: SchedulerParts;
  readonly #queue: EventQueue<ScheduleEvent>;
  #state: ScheduleState = SCHEDULE_BEGIN;
  #child: Child | null = null;
  readonly #run = new Run();
  #isStopping = false;
  #hasFailed = false;

  /** Creates a scheduler. */
  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#queue = new EventQueue(parts.clock);
  }

  start(): Promise<void> {
    return this.#run.start(() => this.#parts.report?.open(), () => this.#finish());
  }

  get ended(): Promise<number> {
    return this.#run.ended;
  }

  /** Stops the current run and the scheduler, and resolves when both have ended. A second call kills the run. */
  async stop(): Promise<void> {
    this.#queue.post({ type: this.#isStopping ? "kill" : "stop" });
    this.#isStopping = true;
    if (this.#run.isStarted) await this.ended;
  }

  fail(error: unknown): void {
    logInternalError(this.#parts.output.log, error);
    this.#hasFailed = true;
    this.#queue.post({ type: "stop" });
    this.#isStopping = true;
  }

  /** Stops the scheduler unless that was done before, and waits until it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isStopping) await this.stop();
    else if (this.#run.isStarted) await this.ended;
  }

  async #finish(): Promise<number> {
    const { output, policy } = this.#parts;
    const ended = await this.run().catch((error) => {
      // Whatever went wrong, nothing would stop the command later.
      this.fail(error);
      this.#child?.signal("SIGKILL");
      return null;
    });
    const hasGivenUp = ended?.hasGivenUp && !policy.isOnce;
    if (hasGivenUp) output.log.error(`giving up after ${policy.maxFailures} failures in a row`);
    await output.flush(FLUSH_MS);
    if (this.#hasFailed || ended === null || hasGivenUp) return 1;
    return policy.isOnce && ended.exit !== null ? exitCodeOf(ended.exit) : 0;
  }

  /** Runs until the end. Resolves with null if it left a run behind that SIGKILL does not end or may not reach. */
  async run(): Promise<ScheduleEnded | null> {
    const { clock, heart = NO_HEART, times, report } = this.#parts;
    this.#queue.post({ type: "plan", ...times.first() });
    for (;;) {
      const event = await this.#queue.next(() => {
        return Math.min(scheduleDeadline(this.#state), this.#giveUpAt(), heart.due, clock.now() + CORRECT_MS);
      });
      heart.beat();
      if (event !== null) this.#take(event);
      else if (clock.now() >= this.#giveUpAt()) return this.#leaveBehind();
      else this.#passTime();
      report?.write();
      if (this.#state.type === "ended") return this.#state;
    }
  }

  #passTime(): void {
    const { clock, times } = this.#parts;
    this.#child?.retry();
    const plan = times.correct();
    if (plan !== null) this.#take({ type: "plan", ...plan });
    if (clock.now() >= scheduleDeadline(this.#state)) this.#take({ type: "tick" });
  }

  /** When it leaves the last run behind: 5 s after SIGKILL, or at once if the signal was refused. */
  #giveUpAt(): number {
    const isLast = this.#isStopping || this.#parts.policy.isOnce;
    if (!isLast || this.#state.type !== "killing") return Infinity;
    return this.#child?.refused ? 0 : this.#state.killedAt + STUCK_MS;
  }

  #leaveBehind(): null {
    this.#parts.output.log.error(this.#whoIsStuck(STUCK_MS, " and is left behind"));
    return null;
  }

  #whoIsStuck(afterMs: number, what = ""): string {
    const run = this.#state.type === "ended" ? 0 : this.#state.runs;
    const fault = describeStuck(afterMs, this.#child?.refused ?? false);
    return `run ${run}: ${fault}${what}: ${this.#child?.whoIsLeft()}`;
  }

  #take(event: ScheduleEvent): void {
    const now = this.#parts.clock.now();
    const step = stepSchedule(this.#state, event, now, this.#parts.policy);
    const [state, effects] = step;
    this.#state = state;
    this.#parts.report?.note(event, step, now);
    for (const effect of effects) this.#perform(effect, event);
  }

  #perform(effect: ScheduleEffect, event: ScheduleEvent): void {
    const { output: { log }, policy, times } = this.#parts;
    switch (effect.type) {
      case "spawn":
        return this.#spawn();
      case "signal":
        return this.#child?.signal(effect.signal);
      case "plan":
        return this.#queue.post({ type: "plan", ...times.next() });
      case "report-stuck":
        return log.warn(this.#whoIsStuck(effect.afterMs));
      case "timed out":
        return log.warn(`run ${effect.run}: timed out after ${policy.timeoutMs / 1000} s, sending SIGTERM`);
      case "report":
        return this.#report(effect.run, effect.exit, effect.durationMs);
      case "skipped":
        return log.warn(`skipped ${effect.count} run(s) because ${effect.why} (${effect.total} in total)`);
      case "unexpected":
        return log.error(`unexpected event ${event.type} in state ${this.#state.type}, ignored`);
    }
  }

  #spawn(): void {
    const { output, spawn } = this.#parts;
    this.#child = spawn(output.forRun(), {
      leaderExited: (exit) => this.#queue.post({ type: "leader-exited", exit }),
      groupExited: () => this.#queue.post({ type: "group-exited" }),
      warn: (message) => output.log.warn(message),
    });
  }

  #report(run: number, exit: Exit, durationMs: number): void {
    const { log } = this.#parts.output;
    const isGood = exit.type === "code" && exit.code === 0;
    const line = `run ${run}: ${describeExit(exit)}${
      exit.type === "failed" ? "" : ` after ${(durationMs / 1000).toFixed(2)} s`
    }`;
    if (isGood) log.info(line);
    else log.warn(line);
  }
}
