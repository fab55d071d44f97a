import type { Exit, ProcessEvent, Spec } from "@ncolony/core";
import type { Random } from "./random.ts";

/** A child and its process group, as the operating system has them, from its spawn until `emptied` was told. */
export class Child {
  /** What was started. */
  readonly spec: Spec;
  /** When it got its stop signal, or null. */
  askedAt: number | null = null;
  /** Whether it got SIGKILL. */
  killed = false;
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
    this.#stubborn = { leader: random.chance(0.3), rest: random.chance(0.5) };
  }

  /** Lets the leader end by itself, or then whoever it left behind; returns what happened, or null. */
  age(): string | null {
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
  kill(): void {
    this.killed = true;
    this.#exit ??= { type: "signal", signal: "SIGKILL" };
    this.#rest = false;
  }

  /** What its adapter has to tell next, or null. */
  news(): ProcessEvent | null {
    if (this.#exit === null) return null;
    if (!this.#told) return { type: "exited", exit: this.#exit };
    return this.#rest ? null : { type: "emptied" };
  }

  /** Takes note that `exited` was told. */
  tell(): void {
    this.#told = true;
  }
}
