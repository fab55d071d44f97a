import type { Cgroup } from "./cgroup.ts";
import { ownCgroup } from "./own_cgroup.ts";

/** A cgroup for the one command of this program, so that SIGKILL reaches all that it starts at once. */
export class CommandCgroup {
  readonly #own: Cgroup;
  readonly #cgroup: Cgroup;

  private constructor(own: Cgroup) {
    this.#own = own;
    this.#cgroup = own.child(`ncolony-command-${Deno.pid}`);
  }

  /**
   * Creates a cgroup, and enters it, so that a command that is started then is born there. This takes up to 25 ms.
   *
   * @returns Null if this program cannot use cgroups.
   */
  static enter(): CommandCgroup | null {
    try {
      const entered = new CommandCgroup(ownCgroup());
      return entered.#enter() ? entered : null;
    } catch {
      // There is no cgroup v2.
      return null;
    }
  }

  #enter(): boolean {
    try {
      // That of an earlier reaper with this pid.
      this.#cgroup.remove();
      this.#cgroup.create();
      this.#cgroup.enterNow();
      return true;
    } catch {
      // It is not delegated to this program.
      this.#cgroup.remove();
      return false;
    }
  }

  /** Sends SIGKILL to everything in it at once, if that is possible. */
  kill(): void {
    try {
      this.#own.enterNow();
      this.#cgroup.kill();
    } catch {
      // This program cannot leave it, or Linux is older than 5.14.
    }
  }

  /** Leaves and removes it. */
  close(): void {
    try {
      this.#own.enterNow();
      this.#cgroup.remove();
    } catch {
      // It stays, empty.
    }
  }
}
