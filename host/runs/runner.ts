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
  type ScheduleStep,
  stepSchedule,
  STUCK_MS,
} from "@ncolony/core";
import type { Child, ChildListener, ChildOutput } from "../child_types.ts";
import { EventQueue } from "../event_queue.ts";
import { NO_HEART, type Watchdog } from "../program/heart.ts";
import { exitCodeOf } from "../program/signals.ts";
import { logInternalError, type ProgramService, Run } from "../service.ts";
import type { Clock, Log } from "../types.ts";

/** How often the wall clock is checked and a refused signal is sent again, in milliseconds. */
const CORRECT_MS = 10_000;

/** How long writing the last lines may take, in milliseconds. */
const FLUSH_MS = 1000;

/** When the next run is due. */
export interface Plan {
  /** When it is due, in the clock's milliseconds; Infinity: never. */
  readonly dueAt: number;
  /** How many runs were due before that and are skipped. */
  readonly passed: number;
  /** Why they are skipped. */
  readonly why?: string;
}

/** Plans when runs are due. */
export interface Times {
  /** Plans the first run. */
  first(): Plan;
  /** Plans the run after the current one. */
  next(): Plan;
  /** Plans the same run again if the wall clock has changed, or returns null. Must be called every ten seconds. */
  correct(): Plan | null;
}

/** Learns what happens to the runs. */
export interface RunListener {
  /** Called at the start. */
  open?(): void;
  /** Called at each event, before anything is done. `now` is its time, in the clock's milliseconds. */
  note(event: ScheduleEvent, step: ScheduleStep, now: number): void;
  /** Called when all that follows from an event is done, and every ten seconds. */
  write?(): void;
}

/** What {@linkcode Runner} needs. */
export interface RunnerParts {
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
  /** Learns what happens to the runs. */
  readonly listener?: RunListener;
}

/** Runs a command when it is due, never twice at once. It takes one event at a time, calls `stepSchedule`, and performs the effects. */
export class Runner implements ProgramService {
  readonly #parts: RunnerParts;
  readonly #queue: EventQueue<ScheduleEvent>;
  #state: ScheduleState = SCHEDULE_BEGIN;
  #child: Child | null = null;
  readonly #run = new Run();
  #isStopping = false;
  #hasFailed = false;

  /** Creates a runner. */
  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#queue = new EventQueue(parts.clock);
  }

  start(): Promise<void> {
    return this.#run.start(() => this.#parts.listener?.open?.(), () => this.#finish());
  }

  get ended(): Promise<number> {
    return this.#run.ended;
  }

  /** Plans a run. One that is due while another is under way is skipped. */
  plan(plan: Plan): void {
    this.#queue.post({ type: "plan", ...plan });
  }

  /** Stops the current run and the runner, and resolves when both have ended. A second call kills the run. */
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

  /** Stops the runner unless that was done before, and waits until it has ended. */
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
    const { clock, heart = NO_HEART, times, listener } = this.#parts;
    this.#queue.post({ type: "plan", ...times.first() });
    for (;;) {
      const event = await this.#queue.next(() => {
        return Math.min(scheduleDeadline(this.#state), this.#giveUpAt(), heart.due, clock.now() + CORRECT_MS);
      });
      heart.beat();
      if (event !== null) this.#take(event);
      else if (clock.now() >= this.#giveUpAt()) return this.#leaveBehind();
      else this.#passTime();
      listener?.write?.();
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
    this.#parts.listener?.note(event, step, now);
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
