import { faultOf } from "../deno_errors.ts";
import type { Cgroup } from "./cgroup.ts";

/**
 * The cgroup in which this program waits for its next child.
 *
 * A child is born into the cgroup of its parent. So this program waits in an empty cgroup, starts a child there, and
 * moves on to the next empty one, in another thread, because a move takes up to 25 ms on an idle machine. The child is
 * in its own cgroup from the start, whatever it does, and no start waits, unless another one was a moment ago.
 */
export class WaitingRoom {
  readonly #home: Cgroup;
  readonly #old: Set<Cgroup>;
  #room: Cgroup;
  /** Whether no child was started since this program entered the cgroup. */
  #isUnused = false;
  #count = 0;
  #moving: Promise<void> | null = null;
  /** Why the last move failed. Null if it did not. */
  fault: string | null = null;

  /**
   * Creates a waiting room. This program stays in `own` until {@linkcode WaitingRoom.ready}.
   *
   * @param old Collects the cgroups that this program leaves to processes other than its children.
   */
  constructor(own: Cgroup, home: Cgroup, old: Set<Cgroup>) {
    this.#room = own;
    this.#home = home;
    this.#old = old;
  }

  /** The cgroup that this program is in, or is about to leave. */
  get cgroup(): Cgroup {
    return this.#room;
  }

  /** Whether the next child is alone in the cgroup that it is born into. */
  get isFresh(): boolean {
    // Whoever else is there was started by the program that this monitor is a part of, or by a container engine.
    return this.#isUnused && this.#moving === null && this.#room.isOwnAlone;
  }

  /** Returns null if the room is fresh. Otherwise moves on, and resolves when that is done or failed. */
  ready(): Promise<void> | null {
    return this.isFresh ? null : this.#moveOn();
  }

  /** Moves on, because a child was just started here. */
  leave(): void {
    this.#isUnused = false;
    this.#moveOn();
  }

  /** Resolves when this program does not move. */
  async settled(): Promise<void> {
    await this.#moving;
  }

  #moveOn(): Promise<void> {
    return this.#moving ??= this.#move().finally(() => this.#moving = null);
  }

  /** Moves to the next empty cgroup. If that fails, stays, and a later start tries again. */
  async #move(): Promise<void> {
    let next: Cgroup | null = null;
    try {
      next = this.#createRoom();
      await next.enter();
      if (this.#isUnused) this.#old.add(this.#room);
      this.#room = next;
      this.#isUnused = true;
      this.fault = null;
    } catch (error) {
      next?.remove();
      this.#isUnused = false;
      this.fault = faultOf(error);
    }
  }

  #createRoom(): Cgroup {
    for (;;) {
      const room = this.#home.child(`${Deno.pid}.${++this.#count}`);
      try {
        room.create();
        return room;
      } catch (error) {
        // An earlier monitor had the same pid.
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
    }
  }
}
