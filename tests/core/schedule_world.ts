import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import {
  type Exit,
  isFailure,
  SCHEDULE_BEGIN,
  scheduleDeadline,
  type ScheduleEffect,
  type ScheduleEvent,
  type SchedulePolicy,
  type ScheduleState,
  stepSchedule,
} from "@ncolony/core";
import type { Random } from "./random.ts";

const START = 1000;
/** The longest delay of a tick. */
const LATE_MS = 40;

const EXITS: readonly [Exit, ...Exit[]] = [
  { type: "code", code: 0 },
  { type: "code", code: 0 },
  { type: "code", code: 3 },
  { type: "signal", signal: "SIGSEGV" },
];

/** One run: when its leader and the rest of its group will end, and what was reported about it. */
interface Run {
  readonly since: number;
  readonly exit: Exit;
  readonly termMs: number;
  readonly killMs: number;
  leaderUntil: number;
  restUntil: number;
  ended: Exit | null;
  isReported: boolean;
  isKilled: boolean;
  isTimedOut: boolean;
  isStopped: boolean;
}

/** A scheduled command on a clock that a test advances. Checks the promises that must hold in every history. */
export class World {
  state: ScheduleState = SCHEDULE_BEGIN;
  /** What happened so far, one line each. */
  readonly lines: string[] = [];
  #now = START;
  #isStopped = false;
  #stoppedAt = Infinity;
  #run: Run | null = null;
  #runs = 0;
  #skipped = 0;
  #failures = 0;
  #hasGivenUp = false;
  readonly #inbox: ScheduleEvent[] = [];

  constructor(
    readonly policy: SchedulePolicy,
    readonly frequencyMs: number,
    readonly random: Random,
    readonly cells: Set<string>,
  ) {
    this.happen({ type: "plan", dueAt: START, passed: 0 });
  }

  /** Stops or kills the command. */
  stop(type: "stop" | "kill"): void {
    this.#isStopped = true;
    this.#stoppedAt = Math.min(this.#stoppedAt, this.#now);
    if (this.state.type === "running") this.#run!.isStopped = true;
    this.happen({ type });
    assert(type === "stop" || this.#run === null || this.#run.isKilled, "a kill kills");
  }

  /** Advances to the next event, maybe a little late. Returns false if there will be none. */
  pass(): boolean {
    const { leaderUntil = Infinity, restUntil = Infinity, ended = null } = this.#run ?? {};
    const childAt = ended === null ? leaderUntil : restUntil;
    const next = Math.min(childAt, scheduleDeadline(this.state));
    if (next === Infinity) return false;
    if (next > this.#now) this.#now = next + (this.random.chance(0.3) ? this.random.below(LATE_MS) : 0);
    if (this.#now < childAt) this.happen({ type: "tick" });
    else if (ended === null) this.#exit(this.#run!.exit);
    else this.happen({ type: "group-exited" });
    return true;
  }

  /** Processes an event, and all events that follow at once. */
  happen(event: ScheduleEvent): void {
    this.#inbox.push(event);
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) this.#take(next);
    const run = this.#run;
    const { timeoutMs, graceMs, stopMs } = this.policy;
    if (run !== null && this.#now > Math.min(run.since + timeoutMs + graceMs, this.#stoppedAt + stopMs) + 2 * LATE_MS) {
      // Events that are due at the same time are processed in turn, and the kill may be the last of them.
      assert(run.isKilled || scheduleDeadline(this.state) <= this.#now, "SIGKILL after timeout and grace, or a stop");
    }
    if (this.state.type === "ended") {
      assert(run === null, "nobody is left at the end");
      assertEquals(this.state.hasGivenUp, this.#hasGivenUp, "gives up after failures in a row");
      assert(this.#isStopped || this.#hasGivenUp || this.policy.isOnce, "ends only where it must");
      return;
    }
    const { runs, skipped, failures, dueAt } = this.state;
    assertEquals([runs, skipped, failures], [this.#runs, this.#skipped, this.#failures]);
    const k = runs + skipped;
    assertEquals(dueAt, this.policy.isOnce && k > 0 ? Infinity : START + k * this.frequencyMs, "the beat is kept");
    if (this.state.type === "idle") assert(run === null, "idle only when nobody is left");
  }

  #take(event: ScheduleEvent): void {
    this.cells.add(`${this.state.type} ${event.type}`);
    this.lines.push(`${this.#now}: ${this.state.type} ${JSON.stringify(event)}`);
    if (event.type === "group-exited") this.#leave();
    const [state, effects] = stepSchedule(this.state, event, this.#now, this.policy);
    this.state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: ScheduleEffect): void {
    switch (effect.type) {
      case "spawn":
        return this.#spawn();
      case "signal":
        return this.#signal(effect.signal === "SIGKILL");
      case "plan": {
        const count = this.#runs + this.#skipped;
        const passed = Math.max(0, Math.floor((this.#now - START) / this.frequencyMs) + 1 - count);
        this.#inbox.push({ type: "plan", dueAt: START + (count + passed) * this.frequencyMs, passed });
        return;
      }
      case "timed out":
        assertLessOrEqual(this.#run!.since + this.policy.timeoutMs, this.#now, "a run has all its time");
        this.#run!.isTimedOut = true;
        return;
      case "report": {
        const { isReported, ended, since } = this.#run!;
        assert(!isReported, "a run is reported once");
        assertEquals([effect.run, effect.exit, effect.durationMs], [this.#runs, ended!, this.#now - since]);
        this.#run!.isReported = true;
        return;
      }
      case "skipped":
        this.#skipped += effect.count;
        assertEquals(effect.total, this.#skipped);
        return;
      case "unexpected":
        throw new Error("nothing unexpected can happen");
    }
  }

  #spawn(): void {
    const { policy: { timeoutMs, graceMs, isOnce }, random } = this;
    assert(this.#run === null, "never two at once");
    assert(!this.#isStopped && !this.#hasGivenUp && !(isOnce && this.#runs > 0), "no run after the last");
    this.#runs++;
    this.#run = {
      since: this.#now,
      exit: random.pick(EXITS),
      termMs: random.pick([0, graceMs - 1, random.below(2 * graceMs), Infinity]),
      killMs: random.pick([0, 0, random.below(300)]),
      leaderUntil: this.#now + random.pick([0, timeoutMs - 1, random.below(2 * timeoutMs), Infinity]),
      restUntil: this.#now + random.pick([0, 0, random.below(2 * timeoutMs), Infinity]),
      ended: null,
      isReported: false,
      isKilled: false,
      isTimedOut: false,
      isStopped: false,
    };
    if (!random.chance(0.15)) return;
    const exit: Exit = { type: "failed", reason: "no such command" };
    this.#run.ended = exit;
    this.#inbox.push({ type: "leader-exited", exit }, { type: "group-exited" });
  }

  #signal(isKill: boolean): void {
    const run = this.#run;
    if (run === null) return;
    run.isKilled ||= isKill;
    const until = this.#now + (isKill ? run.killMs : run.termMs);
    run.leaderUntil = Math.min(run.leaderUntil, until);
    run.restUntil = Math.min(run.restUntil, until);
  }

  #exit(exit: Exit): void {
    this.#run!.ended = exit;
    this.happen({ type: "leader-exited", exit });
  }

  #leave(): void {
    const { ended, isReported, isTimedOut, isStopped } = this.#run!;
    assert(isReported, "each run is reported");
    this.#failures = isTimedOut || isFailure(ended!) ? this.#failures + 1 : 0;
    this.#hasGivenUp = !isStopped && this.#failures >= this.policy.maxFailures;
    this.#run = null;
  }
}
