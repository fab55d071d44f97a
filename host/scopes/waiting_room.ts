import { faultOf } from "../deno_errors.ts";
import type { Cgroup } from "./cgroup.ts";

/** For how long this program does not move again because of a child that needs no cgroup, in milliseconds. */
const REST_MS = 100;

/**
 * The cgroup in which this program waits for its next child.
 *
 * A child is born into the cgroup of its parent. So this program waits in an empty cgroup, starts a child there, and
 * moves on to the next empty one, in another thread, because a move takes up to 25 ms on an idle machine. The child is
 * in its own cgroup from the start, whatever it does, and no start waits, unless another one was a moment ago.
 */
export class WaitingRoom {
  readonly #home: Cgroup;
  readonly #now: () => number;
  #room: Cgroup;
  /** Whether no child was started since this program entered the cgroup. */
  #isFresh = false;
  #count = 0;
  #moving: Promise<void> | null = null;
  #movedAt = -Infinity;
  /** Why the last move failed. Null if it did not. */
  fault: string | null = null;

  /** Creates a waiting room. This program stays in `own` until {@linkcode WaitingRoom.ready}. */
  constructor(own: Cgroup, home: Cgroup, now: () => number) {
    this.#room = own;
    this.#home = home;
    this.#now = now;
  }

  /** The cgroup that this program is in, or is about to leave. */
  get cgroup(): Cgroup {
    return this.#room;
  }

  /** Whether the next child is alone in the cgroup that it is born into. */
  get isFresh(): boolean {
    return this.#isFresh && this.#moving === null;
  }

  /** Returns null if the room is fresh. Otherwise moves on, and resolves when that is done or failed. */
  ready(): Promise<void> | null {
    return this.isFresh ? null : this.#moveOn();
  }

  /** Moves on, because a child was just started in the fresh room. */
  leave(): void {
    this.#isFresh = false;
    this.#moveOn();
  }

  /** Notes that a child was started that needs no cgroup of its own. It may be in the room, or in the next one. */
  share(): void {
    this.#isFresh = false;
    if (this.#now() >= this.#movedAt + REST_MS) this.#moveOn();
  }

  /** Resolves with whether this program has left a cgroup. */
  async hasLeft(cgroup: Cgroup): Promise<boolean> {
    await this.#moving;
    return this.#room !== cgroup;
  }

  #moveOn(): Promise<void> {
    return this.#moving ??= this.#move().finally(() => this.#moving = null);
  }

  /** Moves to the next empty cgroup. If that fails, stays, and a later start tries again. */
  async #move(): Promise<void> {
    // Until a child is started meanwhile.
    this.#isFresh = true;
    let next: Cgroup | null = null;
    try {
      next = this.#createRoom();
      await next.enter();
      this.#room = next;
      this.fault = null;
    } catch (error) {
      next?.remove();
      this.#isFresh = false;
      this.fault = faultOf(error);
    }
    this.#movedAt = this.#now();
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
