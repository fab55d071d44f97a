import {
  describeExit,
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
  exitCodeOf,
  type Log,
  NO_HEART,
  type ProgramService,
  Run,
  Waker,
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
  readonly #waker: Waker;
  #state: ScheduleState = SCHEDULE_BEGIN;
  #inbox: ScheduleEvent[] = [];
  #child: Child | null = null;
  /** When the child got SIGKILL, or Infinity. */
  #killedAt = Infinity;
  readonly #run = new Run();
  #isStopping = false;
  #hasFailed = false;

  /** Makes one that has not been started. */
  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#waker = new Waker(parts.clock);
  }

  start(): Promise<void> {
    return this.#run.start(() => {}, () => this.#finish());
  }

  get ended(): Promise<number> {
    return this.#run.ended;
  }

  /** Ends the run that goes on, and resolves when it has ended; asked again, it kills it. */
  async stop(): Promise<void> {
    this.#post({ type: this.#isStopping ? "kill" : "stop" });
    this.#isStopping = true;
    if (this.#run.isStarted) await this.ended;
  }

  fail(error: unknown): void {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    this.#parts.output.log.error(`internal error, stopping: ${text}`);
    this.#hasFailed = true;
    this.#post({ type: "stop" });
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
    this.#post({ type: "plan", ...times.first() });
    for (;;) {
      while (this.#inbox.length > 0) this.#take(this.#inbox.shift()!);
      if (this.#state.type === "ended") return this.#state;
      const giveUpAt = this.#giveUpAt();
      if (clock.now() >= giveUpAt) return this.#leaveBehind(this.#state.runs);
      heart.beat();
      const deadline = Math.min(scheduleDeadline(this.#state), giveUpAt);
      if (clock.now() >= deadline) this.#inbox.push({ type: "tick" });
      else await this.#waker.wait(Math.min(deadline, heart.due, clock.now() + CORRECT_MS));
      this.#child?.retry();
      const plan = times.correct();
      if (plan !== null) this.#inbox.unshift({ type: "plan", ...plan });
    }
  }

  /** When it waits no longer for the last run: 5 s after SIGKILL, or at once where it may not signal it. */
  #giveUpAt(): number {
    const isLast = this.#isStopping || this.#parts.policy.isOnce;
    if (!isLast || this.#state.type !== "killing") return Infinity;
    return this.#child?.refused ? 0 : this.#killedAt + STUCK_MS;
  }

  #leaveBehind(run: number): null {
    const fault = this.#child?.refused ? "may not be signalled" : "does not end on SIGKILL";
    this.#parts.output.log.error(`run ${run}: ${fault} and is left behind: ${this.#child?.whoIsLeft()}`);
    return null;
  }

  #post(event: ScheduleEvent): void {
    this.#inbox.push(event);
    this.#waker.wake();
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
        if (effect.signal === "SIGKILL") this.#killedAt = this.#parts.clock.now();
        return this.#child?.signal(effect.signal);
      case "plan":
        return this.#post({ type: "plan", ...times.next() });
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
      leaderExited: (exit) => this.#post({ type: "leader-exited", exit }),
      groupExited: () => this.#post({ type: "group-exited" }),
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
