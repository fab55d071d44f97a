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
import type { Times } from "./times.ts";

/** The wall clock is looked at this often, and a refused signal sent again. */
const CORRECT_MS = 10_000;

/** How long the last lines may take to be written. */
const FLUSH_MS = 1000;

/** What a scheduler is made with. */
export interface SchedulerParts {
  /** The time. */
  readonly clock: Clock;
  /** Starts the command. */
  readonly spawn: (output: ChildOutput, listener: ChildListener) => Child | null;
  /** When runs are due. */
  readonly times: Times;
  /** What is set. */
  readonly policy: SchedulePolicy;
  /** Where events and the command's lines go. */
  readonly output: { readonly log: Log; forRun(): ChildOutput; flush(deadlineMs: number): Promise<void> };
  /** Beats as long as the loop passes. */
  readonly heart?: Watchdog;
}

/** Runs a command now and then: takes one event after another, asks `stepSchedule` what follows, and does it. */
export class Scheduler implements ProgramService {
  readonly #parts: SchedulerParts;
  readonly #queue: EventQueue<ScheduleEvent>;
  #state: ScheduleState = SCHEDULE_BEGIN;
  #child: Child | null = null;
  readonly #run = new Run();
  #isStopping = false;
  #hasFailed = false;

  /** Makes one that has not been started. */
  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#queue = new EventQueue(parts.clock);
  }

  start(): Promise<void> {
    return this.#run.start(() => {}, () => this.#finish());
  }

  get ended(): Promise<number> {
    return this.#run.ended;
  }

  /** Ends the run that goes on, and resolves when it has ended; asked again, it kills it. */
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

  /** Stops it, if that was not done. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isStopping) await this.stop();
    else if (this.#run.isStarted) await this.ended;
  }

  async #finish(): Promise<number> {
    const { output, policy } = this.#parts;
    const ended = await this.run().catch((error) => {
      // Whatever it is, nobody would stop the command after it.
      this.fail(error);
      this.#child?.signal("SIGKILL");
      return null;
    });
    const hasGivenUp = ended?.hasGivenUp && !policy.isOnce;
    if (hasGivenUp) output.log.error(`given up after ${policy.maxFailures} failures in a row`);
    await output.flush(FLUSH_MS);
    if (this.#hasFailed || ended === null || hasGivenUp) return 1;
    return policy.isOnce && ended.exit !== null ? exitCodeOf(ended.exit) : 0;
  }

  /** Runs until the end; gives null where it left somebody behind whom it may not signal, or SIGKILL does not end. */
  async run(): Promise<ScheduleEnded | null> {
    const { clock, heart = NO_HEART, times } = this.#parts;
    this.#queue.post({ type: "plan", ...times.first() });
    for (;;) {
      const event = await this.#queue.next(() => {
        return Math.min(scheduleDeadline(this.#state), this.#giveUpAt(), heart.due, clock.now() + CORRECT_MS);
      });
      heart.beat();
      if (event !== null) this.#take(event);
      else if (clock.now() >= this.#giveUpAt()) return this.#leaveBehind();
      else this.#passTime();
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

  /** When it waits no longer for the last run: 5 s after SIGKILL, or at once where it may not signal it. */
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
    const [state, effects] = stepSchedule(this.#state, event, now, this.#parts.policy);
    this.#state = state;
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
        return log.warn(`run ${effect.run}: not done after ${policy.timeoutMs / 1000} s: asked to end`);
      case "report":
        return this.#report(effect.run, effect.exit, effect.durationMs);
      case "skipped":
        return log.warn(`${effect.count} run(s) skipped, for ${effect.why} (${effect.total} so far)`);
      case "unexpected":
        return log.error(`unexpected: ${event.type} in state ${this.#state.type}`);
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
