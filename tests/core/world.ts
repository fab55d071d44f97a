import {
  deadline,
  type Effect,
  GONE,
  type ProcessEvent,
  type ProcessState,
  type RestartPolicy,
  type Spec,
  type Step,
  step,
  type StopSignal,
} from "@ncolony/core";
import { Child } from "./child.ts";
import { Expected } from "./expected.ts";
import type { Random } from "./random.ts";
import { freeze } from "./samples.ts";

/** The promises that hold in every history. Each is the title of a test, after `step()`. */
export const PROMISES = [
  "spawns nothing before the group of the previous child is empty",
  "spawns, and plans to spawn, only what was wanted last",
  "spawns nothing before the delay after crashes in a row or after a failed start is over",
  "spawns what is wanted at the first event after it is due",
  "has its deadline at the time of its next action",
  "asks each child to stop once, with its own signal, and only a child that must stop",
  "sends SIGKILL no earlier than the kill time after the stop signal, unless told to kill",
  "sends SIGKILL once, when told to kill, or at the first tick after the kill time",
  "reports a child that SIGKILL does not end at the first tick after 5 s, and every 10 s after that",
  "keeps every wanted process running, or due within the longest delay",
  "brings a wanted process from any state to running",
  "brings an unwanted process from any state to gone",
  "reports no event as unexpected that is possible",
  "neither throws nor changes its arguments",
] as const;

const REPORTS = PROMISES.find((promised) => promised.startsWith("reports"))!;

/** One of the promises. */
export type Promised = typeof PROMISES[number];

/** The error of a history that breaks a promise. */
export class BrokenPromise extends Error {
  /** The broken promise. */
  readonly promised: Promised;

  constructor(promised: Promised, detail: string) {
    super(detail);
    this.promised = promised;
  }
}

/** A clock and one process, which may have a child. Checks every step. */
export class World {
  now = 0;
  /** The number of events so far. */
  events = 0;
  state: ProcessState = GONE;
  child: Child | null = null;
  /** The probability that a child cannot be started. */
  failureRate = 0.2;
  /** What happened, one line each. */
  readonly lines: string[] = [];
  /** The cells of the state table that were visited. */
  readonly #cells: Set<string>;
  readonly #expected: Expected;
  readonly #policy: RestartPolicy;
  readonly #random: Random;
  /** The time from the stop signal to SIGKILL. */
  #killTimeMs = 0;
  /** When to report that SIGKILL did not end the child; Infinity if it got no SIGKILL. */
  #reportAt = Infinity;

  constructor(policy: RestartPolicy, random: Random, cells: Set<string>) {
    this.#policy = policy;
    this.#random = random;
    this.#cells = cells;
    this.#expected = new Expected(policy);
  }

  /** Lets one thing end by itself. Returns whether there was anything to end. */
  age(): boolean {
    const what = this.child?.age() ?? null;
    if (what !== null) this.lines.push(`${this.now} ms: ${what}`);
    return what !== null;
  }

  /** Processes an event: steps, stores the state, performs the effects, and checks the promises. */
  happen(event: ProcessEvent): void {
    this.events++;
    this.lines.push(`${this.now} ms: ${this.state.type}, ${describe(event)}`);
    this.#cells.add(`${this.state.type} ${event.type}`);
    const isMoot = this.#expected.isMoot(event);
    if (event.type === "wanted" && this.state.type === "stopping") {
      this.#noteKillTime(event.spec, this.#expected.wanted);
    }
    this.#expected.note(event, this.now);
    if (event.type === "leader-exited") this.child!.tell();
    if (event.type === "group-exited") this.child = null;
    const [state, effects] = this.#step(event);
    this.state = state;
    for (const effect of effects) this.#perform(effect, event);
    this.#checkChild(event, isMoot);
    this.#checkState();
  }

  /** Lets only time pass and children exit, until nothing more happens. */
  settle(): void {
    this.child?.release();
    for (let rounds = 0; rounds < 20; rounds++) {
      const news = this.child?.news() ?? null;
      const due = deadline(this.state);
      if (news === null && due === Infinity) break;
      if (news === null) this.now = Math.max(this.now, due);
      this.happen(news ?? { type: "tick" });
    }
    const { wanted } = this.#expected;
    this.#check(wanted === null || this.state.type === "running", "brings a wanted process from any state to running");
    this.#check(wanted !== null || this.state.type === "gone", "brings an unwanted process from any state to gone");
  }

  /** Applies a changed kill time to the stop that is in progress. */
  #noteKillTime({ killTimeMs }: Spec, before: Spec | null): void {
    const isChanged = before === null ? killTimeMs !== undefined : killTimeMs !== before.killTimeMs;
    if (isChanged) this.#killTimeMs = killTimeMs ?? this.#policy.killTimeMs;
  }

  #step(event: ProcessEvent): Step {
    try {
      return freeze(step(this.state, freeze(event), this.now, this.#policy));
    } catch (error) {
      throw new BrokenPromise("neither throws nor changes its arguments", `${error}`);
    }
  }

  #perform(effect: Effect, event: ProcessEvent): void {
    if (effect.type === "spawn") this.#spawn(effect.spec);
    else if (effect.type === "unexpected") {
      this.#check(false, "reports no event as unexpected that is possible");
    } else if (effect.type === "report-stuck") this.#report(effect.afterMs, event);
    else if (effect.type === "report-stopping") this.#tellStopping(effect.inMs, event);
    else if (effect.signal === "SIGKILL") this.#kill(event);
    else this.#ask(effect.signal);
  }

  #spawn(spec: Spec): void {
    const { wanted, due } = this.#expected;
    this.#check(this.child === null, "spawns nothing before the group of the previous child is empty");
    this.#check(spec === wanted, "spawns, and plans to spawn, only what was wanted last");
    const promise = "spawns nothing before the delay after crashes in a row or after a failed start is over";
    this.#check(this.now >= due, promise, `spawned at ${this.now} ms, due at ${due} ms`);
    this.child = new Child(spec, this.#random, this.failureRate);
    this.#reportAt = Infinity;
    this.#expected.start(this.now);
  }

  #ask(signal: StopSignal): void {
    const isRight = this.child?.askedAt === null && this.child.killedAt === null &&
      signal === this.child.spec.stopSignal;
    this.#check(isRight, "asks each child to stop once, with its own signal, and only a child that must stop", signal);
    this.child?.ask(this.now);
    this.#killTimeMs = this.child!.spec.killTimeMs ?? this.#policy.killTimeMs;
  }

  #kill(event: ProcessEvent): void {
    const promised = "sends SIGKILL once, when told to kill, or at the first tick after the kill time";
    this.#check(this.child?.killedAt === null, promised, "sent again, or to nobody");
    const isTime = event.type === "kill" || this.now >= this.#killAt();
    this.#check(isTime, "sends SIGKILL no earlier than the kill time after the stop signal, unless told to kill");
    this.child?.kill(this.now);
    this.#reportAt = this.now + 5000;
  }

  /** Checks that each request that waits for the child to stop is reported. */
  #tellStopping(inMs: number, event: ProcessEvent): void {
    const isRight = ["wanted", "unwanted", "restart"].includes(event.type) && this.child!.killedAt === null;
    this.#check(isRight && inMs === Math.max(0, this.#killAt() - this.now), REPORTS, `SIGKILL in ${inMs} ms`);
  }

  #report(afterMs: number, event: ProcessEvent): void {
    const isTime = event.type === "kill" || event.type === "tick" && this.now >= this.#reportAt;
    const isRight = isTime && afterMs === this.now - this.child!.killedAt!;
    this.#check(isRight, REPORTS, `${afterMs} ms after SIGKILL`);
    if (event.type === "tick") this.#reportAt = this.now + 10_000;
  }

  /** When the child must get SIGKILL, or Infinity. */
  #killAt(): number {
    if (this.child === null || this.child.askedAt === null || this.child.killedAt !== null) return Infinity;
    return this.child.askedAt + this.#killTimeMs;
  }

  #checkChild(event: ProcessEvent, isMoot: boolean): void {
    const { wanted, due, since } = this.#expected;
    if (this.child === null) {
      const isLate = wanted !== null && this.now >= due && !isMoot;
      this.#check(!isLate, "spawns what is wanted at the first event after it is due", `due at ${due} ms`);
      return;
    }
    const isEnding = this.child.askedAt !== null || this.child.killedAt !== null;
    const ask = "asks each child to stop once, with its own signal, and only a child that must stop";
    this.#check(isEnding === (since === null), ask, isEnding ? "asked for nothing" : "not asked");
    const isOverdue = event.type === "tick" && this.now >= this.#killAt() ||
      event.type === "kill" && this.child.killedAt === null;
    this.#check(
      !isOverdue,
      "sends SIGKILL once, when told to kill, or at the first tick after the kill time",
      "not sent",
    );
    this.#check(event.type !== "tick" || this.now < this.#reportAt, REPORTS, "not reported");
  }

  #checkState(): void {
    const { state, now } = this;
    const { wanted, due } = this.#expected;
    const { minDelayMs, maxDelayMs } = this.#policy;
    const target = "spec" in state ? state.spec : "next" in state ? state.next : null;
    this.#check(
      target?.source === wanted?.source,
      "spawns, and plans to spawn, only what was wanted last",
      `means to spawn ${target?.args[0]}`,
    );
    const startAt = "until" in state ? state.until : "startAt" in state ? state.startAt : now;
    const isSoon = startAt <= now + Math.max(minDelayMs, maxDelayMs, 1000);
    this.#check(
      wanted === null || isSoon && state.type !== "gone",
      "keeps every wanted process running, or due within the longest delay",
    );
    // A process that is gone and not wanted has nothing to do but to forget its last start.
    if (state.type === "gone") return;
    const actsAt = this.child === null ? due : Math.min(this.#killAt(), this.#reportAt);
    const got = `${deadline(state)} in place of ${actsAt}`;
    this.#check(deadline(state) === actsAt, "has its deadline at the time of its next action", got);
  }

  #check(isKept: boolean, promised: Promised, detail = ""): void {
    if (!isKept) throw new BrokenPromise(promised, `${detail === "" ? "" : `${detail}, `}now ${this.state.type}`);
  }
}

function describe(event: ProcessEvent): string {
  switch (event.type) {
    case "wanted":
      return `wanted ${event.spec.args[0]}`;
    case "leader-exited":
      return `exited ${JSON.stringify(event.exit)}`;
    default:
      return event.type;
  }
}
