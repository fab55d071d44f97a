import type { Exit, ProcessEvent, Spec } from "@ncolony/core";
import type { Random } from "./random.ts";

/** A child and its process group, as the operating system has them, from its spawn until `emptied` was told. */
export class Child {
  /** What was started. */
  readonly spec: Spec;
  /** When it got its stop signal, or null. */
  askedAt: number | null = null;
  /** When it got SIGKILL, or null. */
  killedAt: number | null = null;
  /** Whether SIGKILL does not end it, as in an uninterruptible sleep. */
  #isStuck: boolean;
  /** How its leader ended, or could not start; null while it lives. */
  #exit: Exit | null;
  /** Whether `exited` was told. */
  #told = false;
  /** Whether anybody but the leader is alive in its group. */
  #rest: boolean;
  /** Who takes no notice of the stop signal. */
  readonly #stubborn: { readonly leader: boolean; readonly rest: boolean };

  constructor(spec: Spec, random: Random, failureRate: number) {
    this.spec = spec;
    this.#exit = random.chance(failureRate) ? { type: "failed", reason: "no such command" } : null;
    this.#rest = this.#exit === null && random.chance(0.4);
    this.#isStuck = random.chance(0.2);
    this.#stubborn = { leader: random.chance(0.3), rest: random.chance(0.5) };
  }

  /** Lets go whoever SIGKILL did not end, or the leader end by itself, or then whoever it left; returns what happened, or null. */
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

  /** Gets the stop signal. */
  ask(now: number): void {
    this.askedAt = now;
    if (!this.#stubborn.leader) this.#exit ??= { type: "signal", signal: this.spec.stopSignal };
    if (!this.#stubborn.rest) this.#rest = false;
  }

  /** Gets SIGKILL. */
  kill(now: number): void {
    this.killedAt = now;
    if (!this.#isStuck) this.#die();
  }

  /** Is stuck no longer. */
  release(): void {
    this.#isStuck = false;
    if (this.killedAt !== null) this.#die();
  }

  #die(): void {
    this.#exit ??= { type: "signal", signal: "SIGKILL" };
    this.#rest = false;
  }

  /** What its adapter has to tell next, or null. */
  news(): ProcessEvent | null {
    if (this.#exit === null) return null;
    if (!this.#told) return { type: "leader-exited", exit: this.#exit };
    return this.#rest ? null : { type: "group-exited" };
  }

  /** Takes note that `exited` was told. */
  tell(): void {
    this.#told = true;
  }
}
