import { faultOf } from "../deno_errors.ts";
import type { Cgroup } from "./cgroup.ts";
import { eraseName, readName, writeName } from "./cgroup_names.ts";
import { Controllers } from "./controllers.ts";
import { isBeside, ownCgroup } from "./own_cgroup.ts";
import { WaitingRoom } from "./waiting_room.ts";

/** Whether this program already moves between cgroups: it can be in only one at a time. */
let isTaken = false;

/** A cgroup for each child of this program, all in one that is named after its colony. */
export class Cgroups {
  readonly #own: Cgroup;
  readonly #home: Cgroup;
  readonly #room: WaitingRoom;
  /** Which resources can be limited. */
  readonly controllers: Controllers;
  /** The cgroups in which other children were started as well, because this program could not move on. */
  readonly #shared = new WeakSet<Cgroup>();
  /** Cgroups to remove once they are empty: those of children that have ended, and those left to other processes. */
  readonly #old = new Set<Cgroup>();

  private constructor(own: Cgroup, home: Cgroup) {
    this.#own = own;
    this.#home = home;
    this.#room = new WaitingRoom(own, home, this.#old);
    this.controllers = new Controllers([own, home]);
  }

  /**
   * Creates the cgroup of a colony in that of this program, and moves this program into the first fresh one there.
   *
   * @param id What identifies the colony on this machine, such as the path of its configs.
   * @throws {Error} If there is no cgroup v2, or this program may not create cgroups in its own, or enter them.
   */
  static async open(id: string): Promise<Cgroups> {
    if (isTaken) throw new Error("this program already has another monitor that uses cgroups");
    const own = ownCgroup();
    const home = own.child(`ncolony:${id}`);
    try {
      home.create();
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) {
        throw new Error(`cgroup v2 is not delegated: cannot create a cgroup in ${own.path}: ${faultOf(error)}`);
      }
    }
    isTaken = true;
    const cgroups = new Cgroups(own, home);
    await cgroups.#room.ready();
    if (!cgroups.#room.isFresh) {
      await cgroups.close();
      throw new Error(`cgroup v2 is not delegated: cannot enter a cgroup in ${home.path}: ${cgroups.#room.fault}`);
    }
    // Without it, the memory of children is not known.
    cgroups.controllers.enable("memory");
    return cgroups;
  }

  /** The directory of the colony's cgroups. */
  get path(): string {
    return this.#home.path;
  }

  /** Returns the cgroups of processes that earlier monitors of the colony left running, and removes empty ones. */
  findLeft(): LeftCgroup[] {
    return this.#home.names().flatMap((id) => {
      const cgroup = this.#home.child(id);
      // Its name begins with the pid of its monitor, which may be running, with another messages directory.
      const monitor = Number.parseInt(id);
      if (cgroup.path === this.#room.cgroup.path || monitor !== Deno.pid && isBeside(monitor)) return [];
      const name = readName(cgroup);
      // Without a name, it is the room of another monitor, or of processes that outlive their monitor on purpose.
      if (cgroup.isPopulated) return name === null ? [] : [{ name, cgroup }];
      cgroup.remove();
      return [];
    });
  }

  /** Returns null if a child can be started in its own cgroup now. Otherwise resolves when that was tried. */
  ready(): Promise<void> | null {
    return this.#room.ready();
  }

  /**
   * Runs an action that starts a child, so that it is born in its own cgroup.
   *
   * @param name The name of its process, by which the next monitor finds it. Null if that may not end it.
   * @param isNeeded Whether it may not start without.
   * @returns The cgroup, with what the action returned. The cgroup is null if this program could not enter a fresh one.
   * @throws {Error} If it may not start without a cgroup and cannot have one, or the error of the action.
   */
  start<T>(
    name: string | null,
    isNeeded: boolean,
    action: () => T,
  ): { readonly result: T; readonly cgroup: Cgroup | null } {
    const { cgroup, isFresh, fault } = this.#room;
    if (!isFresh) {
      if (isNeeded) throw new Error(`it cannot have a cgroup of its own: ${fault ?? "another process is in it"}`);
      this.#shared.add(cgroup);
      return { result: action(), cgroup: null };
    }
    try {
      if (name !== null) writeName(cgroup, name);
      const result = action();
      this.#room.leave();
      return { result, cgroup };
    } catch (error) {
      // No child was started, so this program can wait here for another one.
      eraseName(cgroup);
      throw error;
    }
  }

  /** Resolves with whether nothing but one child is in a cgroup: neither this program, nor another child. */
  async isExclusive(cgroup: Cgroup): Promise<boolean> {
    await this.#room.settled();
    return this.#room.cgroup !== cgroup && !this.#shared.has(cgroup);
  }

  /** Why this program could not leave the cgroup of its last child. Null if it could. */
  get fault(): string | null {
    return this.#room.fault;
  }

  /** Removes a cgroup, now or when it is empty. */
  remove(cgroup: Cgroup): void {
    this.#old.add(cgroup);
    this.#sweep();
  }

  /** Removes those of `#old` that are empty now. */
  #sweep(): void {
    for (const cgroup of this.#old) {
      if (cgroup !== this.#room.cgroup && cgroup !== this.#own && cgroup.remove()) this.#old.delete(cgroup);
    }
  }

  /** Returns to the cgroup that this program was started in, and removes all that are empty. */
  async close(): Promise<void> {
    await this.#room.settled();
    this.#sweep();
    this.controllers.release();
    try {
      await this.#own.enter();
      if (this.#room.cgroup !== this.#own) this.#room.cgroup.remove();
      // Fails if another monitor of the colony, or what was left behind, is in it.
      Deno.removeSync(this.path);
    } catch {
      // A controller is in use there. Then the next monitor removes the cgroup that this program stays in.
    }
    isTaken = false;
  }
}

/** The cgroup of a process that an earlier monitor left running. */
export interface LeftCgroup {
  /** The name of the process. */
  readonly name: string;
  /** The cgroup. */
  readonly cgroup: Cgroup;
}
