import type { StopSignal } from "@ncolony/core";
import type { Cgroup } from "./cgroup.ts";
import type { Cgroups } from "./cgroups.ts";
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
 * All processes in the cgroup of a child, and in the cgroups below it. They cannot leave it, unless root moves them, or
 * the user to whom the cgroups are delegated.
 */
export class CgroupScope implements Scope {
  readonly kind = "cgroup";
  readonly #leader: Leader;
  readonly #cgroup: Cgroup;
  readonly #cgroups: Cgroups;
  /** What is used while this program, or another child, is in the cgroup. */
  readonly #narrower: Scope;

  /** Creates a scope. This program may still be in the cgroup. */
  constructor(leader: Leader, cgroup: Cgroup, cgroups: Cgroups, narrower: Scope) {
    this.#leader = leader;
    this.#cgroup = cgroup;
    this.#cgroups = cgroups;
    this.#narrower = narrower;
  }

  async signal(signal: StopSignal): Promise<void> {
    if (!await this.#cgroups.isExclusive(this.#cgroup)) return await this.#narrower.signal(signal);
    if (signal !== "SIGKILL") return await signalEach(() => this.#pids(), signal);
    await killCgroup(this.#cgroup);
    // Root may have moved it away.
    if (!this.#leader.hasExited) this.#leader.kill(signal);
  }

  async isEmpty(): Promise<boolean> {
    if (!await this.#cgroups.isExclusive(this.#cgroup)) return await this.#narrower.isEmpty();
    return !this.#cgroup.isPopulated;
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
    return [...new Set([...leader, ...this.#cgroup.pids()])].filter((pid) => pid !== Deno.pid);
  }
}
