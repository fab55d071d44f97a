import type { Exit, ProcessEvent, Spec } from "@ncolony/core";
import type { Random } from "./random.ts";

/** A child and its process group, as the operating system sees them, until `group-exited` is reported. */
export class Child {
  /** What was started. */
  readonly spec: Spec;
  /** When it got its stop signal, or null. */
  askedAt: number | null = null;
  /** When it got SIGKILL, or null. */
  killedAt: number | null = null;
  /** Whether SIGKILL does not end it, as in an uninterruptible sleep. */
  #isStuck: boolean;
  /** How its leader exited or failed to start; null while the leader is alive. */
  #exit: Exit | null;
  /** Whether `leader-exited` was reported. */
  #told = false;
  /** Whether any process other than the leader is alive in its group. */
  #rest: boolean;
  /** Which of them ignore the stop signal. */
  readonly #stubborn: { readonly leader: boolean; readonly rest: boolean };

  constructor(spec: Spec, random: Random, failureRate: number) {
    this.spec = spec;
    this.#exit = random.chance(failureRate) ? { type: "failed", reason: "no such command" } : null;
    this.#rest = this.#exit === null && random.chance(0.4);
    this.#isStuck = random.chance(0.2);
    this.#stubborn = { leader: random.chance(0.3), rest: random.chance(0.5) };
  }

  /**
   * Lets one thing end: a process that is stuck after SIGKILL, else the leader, else the rest of the group. Returns
   * what happened, or null.
   */
  age(): string | null {
    if (this.#isStuck && this.killedAt !== null) {
      this.release();
      return "who was stuck ends";
    }
    if (this.#exit === null) {
      this.#exit = { type: "code", code: 1 };
      return "the leader ends by itself";
    }
    if (!this.#rest) return null;
    this.#rest = false;
    return "the rest of the group ends by itself";
  }

  /** Receives the stop signal. */
  ask(now: number): void {
    this.askedAt = now;
    if (!this.#stubborn.leader) this.#exit ??= { type: "signal", signal: this.spec.stopSignal };
    if (!this.#stubborn.rest) this.#rest = false;
  }

  /** Receives SIGKILL. */
  kill(now: number): void {
    this.killedAt = now;
    if (!this.#isStuck) this.#die();
  }

  /** Ends the uninterruptible sleep. */
  release(): void {
    this.#isStuck = false;
    if (this.killedAt !== null) this.#die();
  }

  #die(): void {
    this.#exit ??= { type: "signal", signal: "SIGKILL" };
    this.#rest = false;
  }

  /** Returns the event that its adapter must report next, or null. */
  news(): ProcessEvent | null {
    if (this.#exit === null) return null;
    if (!this.#told) return { type: "leader-exited", exit: this.#exit };
    return this.#rest ? null : { type: "group-exited" };
  }

  /** Records that `leader-exited` was reported. */
  tell(): void {
    this.#told = true;
  }
}
