import type { StopSignal } from "@ncolony/core";
import type { Cgroup } from "./cgroup.ts";
import type { Cgroups } from "./cgroups.ts";
import { Logins } from "./logins.ts";
import { type Leader, type Scope, signalEach } from "./scope.ts";
import { whoIsLeft } from "./who_is_left.ts";

/** Sends SIGKILL to all processes in a cgroup, in which this program is not. Rejects if the kernel refuses that. */
export async function killCgroup(cgroup: Cgroup): Promise<void> {
  try {
    cgroup.kill();
  } catch (error) {
    // Linux before 5.14 has no cgroup.kill.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await signalEach(() => cgroup.pids(), "SIGKILL");
  }
}

/**
 * All processes in the cgroup of a child, and in the cgroups below it. They cannot leave it, unless root moves them, as
 * systemd does at a login, or the user to whom the cgroups are delegated.
 */
export class CgroupScope implements Scope {
  readonly kind = "cgroup";
  readonly #leader: Leader;
  readonly #cgroup: Cgroup;
  readonly #cgroups: Cgroups;
  /** What is used while this program, or another child, is in the cgroup. */
  readonly #narrower: Scope;
  readonly #logins: Logins;

  /** Creates a scope. This program may still be in the cgroup. */
  constructor(leader: Leader, cgroup: Cgroup, cgroups: Cgroups, narrower: Scope) {
    this.#leader = leader;
    this.#cgroup = cgroup;
    this.#cgroups = cgroups;
    this.#narrower = narrower;
    this.#logins = new Logins(leader);
  }

  async signal(signal: StopSignal): Promise<void> {
    const isExclusive = await this.#cgroups.isExclusive(this.#cgroup);
    if (signal !== "SIGKILL") {
      return isExclusive ? await signalEach(() => this.#pids(), signal) : await this.#narrower.signal(signal);
    }
    // They can no longer be found when what opened them has ended.
    const logins = this.#logins.cgroups();
    await (isExclusive ? killCgroup(this.#cgroup) : this.#narrower.signal(signal));
    for (const login of logins) await killCgroup(login);
    // Root may have moved it away.
    if (!this.#leader.hasExited) this.#leader.kill(signal);
  }

  async isEmpty(): Promise<boolean> {
    const isExclusive = await this.#cgroups.isExclusive(this.#cgroup);
    const isEmpty = isExclusive ? !this.#cgroup.isPopulated : await this.#narrower.isEmpty();
    return isEmpty && this.#logins.cgroups().length === 0;
  }

  hasLiveMember(): boolean {
    // Zombies do not count, so what is left is alive.
    return true;
  }

  whoIsLeft(): string {
    return whoIsLeft(this.#leader.pid, () => this.#pids());
  }

  #pids(): number[] {
    const leader = this.#leader.hasExited ? [] : [this.#leader.pid];
    const inside = [this.#cgroup, ...this.#logins.cgroups()].flatMap((cgroup) => cgroup.pids());
    return [...new Set([...leader, ...inside])].filter((pid) => pid !== Deno.pid);
  }
}
