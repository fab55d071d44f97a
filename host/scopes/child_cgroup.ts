import type { Limits } from "@ncolony/core";
import { faultOf } from "../deno_errors.ts";
import type { Usage } from "../types.ts";
import type { Cgroup } from "./cgroup.ts";
import type { Cgroups } from "./cgroups.ts";
import { readProcess } from "./proc.ts";

/** The period of `cpu.max`, in microseconds, as systemd has it. */
const CPU_PERIOD_US = 100_000;

/** What limits a resource, what it counts in its file of events, and what that means. */
const EVENTS = [
  {
    controller: "memory",
    key: "oom_kill",
    // With `memory.oom.group` it kills everything, and counts one process twice.
    says: (count: number, { memoryBytes }: Limits) =>
      `out of memory: the kernel killed ${memoryBytes === undefined ? processes(count) : "all of its processes"}`,
  },
  {
    controller: "pids",
    key: "max",
    says: (count: number) => `its limit of processes was reached ${times(count)}`,
  },
] as const;

/** The cgroup of one child: what it may use, and what it uses. */
export class ChildCgroup {
  /** The cgroup. */
  readonly cgroup: Cgroup;
  readonly #cgroups: Cgroups;
  readonly #limits: Limits;
  readonly #warn: (message: string) => void;
  /** What this program used while it waited there. */
  readonly #before: Pick<Usage, "cpuSeconds" | "memoryBytes">;
  readonly #seen = new Map<string, number>();
  #isClosed = false;

  /** Limits a child that was just started. `warn` is called if that fails. */
  constructor(cgroup: Cgroup, cgroups: Cgroups, limits: Limits, warn: (message: string) => void) {
    this.cgroup = cgroup;
    this.#cgroups = cgroups;
    this.#limits = limits;
    this.#warn = warn;
    this.#before = this.#used();
    if (this.#isLimited) this.#limit();
  }

  /**
   * Returns what happened because of limits since the last call, in one sentence each.
   *
   * @param isLast Whether it has ended. Before that, a child without limits is not looked at.
   */
  news(isLast: boolean): string[] {
    if (!isLast && !this.#isLimited) return [];
    const { controllers } = this.#cgroups;
    return EVENTS.filter(({ controller }) => controllers.isEnabled(controller)).flatMap(({ controller, key, says }) => {
      const count = countOf(this.cgroup, `${controller}.events`, key);
      const fresh = count - (this.#seen.get(controller) ?? 0);
      this.#seen.set(controller, count);
      return fresh > 0 ? [says(fresh, this.#limits)] : [];
    });
  }

  /** Returns what the child and its descendants use, as far as it can be read now. */
  usage(): Usage {
    const { cpuSeconds, memoryBytes } = this.#used();
    return {
      cpuSeconds: cpuSeconds - this.#before.cpuSeconds,
      memoryBytes: memoryBytes === null ? null : Math.max(0, memoryBytes - (this.#before.memoryBytes ?? 0)),
      processes: pidsIn(this.cgroup).filter((pid) => pid !== Deno.pid).length,
    };
  }

  /** Returns the pid of the oldest process in it. Null if there is none. @throws {Error} If that cannot be seen. */
  oldest(): number | null {
    const found = this.cgroup.pids().map(readProcess).filter((info) => info !== null);
    return found.sort((a, b) => Number(a.start) - Number(b.start) || a.pid - b.pid)[0]?.pid ?? null;
  }

  /** Removes the cgroup as soon as it is empty. */
  close(): void {
    this.#isClosed = true;
    this.#cgroups.remove(this.cgroup);
  }

  #used(): Pick<Usage, "cpuSeconds" | "memoryBytes"> {
    const hasMemory = this.#cgroups.controllers.isEnabled("memory");
    return {
      memoryBytes: hasMemory ? numberIn(this.cgroup, "memory.current") : null,
      cpuSeconds: countOf(this.cgroup, "cpu.stat", "usage_usec") / 1e6,
    };
  }

  get #isLimited(): boolean {
    return Object.keys(this.#limits).length > 0;
  }

  /** Writes the limits when this program, which they would hold for as well, has left. */
  async #limit(): Promise<void> {
    const isExclusive = await this.#cgroups.isExclusive(this.cgroup);
    if (this.#isClosed) return;
    try {
      if (!isExclusive) throw new Error(`this program cannot leave its cgroup: ${this.#cgroups.fault}`);
      const { memoryBytes, cpus, pids } = this.#limits;
      if (memoryBytes !== undefined) {
        this.cgroup.write("memory.oom.group", "1");
        this.cgroup.write("memory.max", `${memoryBytes + (this.#before.memoryBytes ?? 0)}`);
      }
      if (cpus !== undefined) this.cgroup.write("cpu.max", `${Math.round(cpus * CPU_PERIOD_US)} ${CPU_PERIOD_US}`);
      if (pids !== undefined) this.cgroup.write("pids.max", `${pids}`);
    } catch (error) {
      this.#warn(`its limits are not in effect: ${faultOf(error)}`);
    }
  }
}

/** Returns the pids in a cgroup. None if they cannot be read now. */
function pidsIn(cgroup: Cgroup): number[] {
  try {
    return cgroup.pids();
  } catch {
    return [];
  }
}

/** Returns the number in a file. Null if it cannot be read now. */
function numberIn(cgroup: Cgroup, file: string): number | null {
  try {
    return Number(cgroup.read(file));
  } catch {
    return null;
  }
}

/** Returns a number in a file of counters. 0 if it cannot be read now. */
function countOf(cgroup: Cgroup, file: string, key: string): number {
  try {
    return cgroup.valueOf(file, key);
  } catch {
    return 0;
  }
}

function processes(count: number): string {
  return count === 1 ? "a process" : `${count} processes`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
