import type { Limits } from "@ncolony/core";
import { faultOf } from "../deno_errors.ts";
import type { Usage } from "../types.ts";
import type { Cgroup } from "./cgroup.ts";
import type { Cgroups } from "./cgroups.ts";
import { readProcess } from "./proc.ts";

/** The period of `cpu.max`, in microseconds, as systemd has it. */
const CPU_PERIOD_US = 100_000;

/** The files of each limit: what limits a resource, what counts how often that happened, and what that means. */
const EVENTS = [
  { file: "memory.events", key: "oom_kill", says: (n: number) => `out of memory: the kernel killed ${processes(n)}` },
  { file: "pids.events", key: "max", says: (n: number) => `its limit of processes was reached ${times(n)}` },
] as const;

/** The cgroup of one child: what it may use, and what it uses. */
export class ChildCgroup {
  /** The cgroup. */
  readonly cgroup: Cgroup;
  readonly #cgroups: Cgroups;
  readonly #limits: Limits;
  readonly #warn: (message: string) => void;
  /** What this program used while it waited there. */
  readonly #before: Usage;
  readonly #seen = new Map<string, number>();
  #isClosed = false;

  /** Limits a child that was just started. `warn` is called if that fails. */
  constructor(cgroup: Cgroup, cgroups: Cgroups, limits: Limits, warn: (message: string) => void) {
    this.cgroup = cgroup;
    this.#cgroups = cgroups;
    this.#limits = limits;
    this.#warn = warn;
    this.#before = usageOf(cgroup);
    if (Object.keys(limits).length > 0) this.#limit();
  }

  /** Returns what happened because of its limits since the last call, in one sentence each. */
  news(): string[] {
    return EVENTS.flatMap(({ file, key, says }) => {
      const count = countOf(this.cgroup, file, key);
      const fresh = count - (this.#seen.get(file) ?? 0);
      this.#seen.set(file, count);
      return fresh > 0 ? [says(fresh)] : [];
    });
  }

  /** Returns what the child and its descendants use. */
  usage(): Usage {
    const now = usageOf(this.cgroup);
    const { memoryBytes } = this.#before;
    return {
      ...now,
      cpuSeconds: now.cpuSeconds - this.#before.cpuSeconds,
      memoryBytes: now.memoryBytes === null ? null : Math.max(0, now.memoryBytes - (memoryBytes ?? 0)),
    };
  }

  /** Returns the pid of the oldest process in it. Null if there is none. */
  oldest(): number | null {
    const found = this.cgroup.pids().map(readProcess).filter((info) => info !== null);
    return found.sort((a, b) => Number(a.start) - Number(b.start) || a.pid - b.pid)[0]?.pid ?? null;
  }

  /** Removes the cgroup as soon as it is empty. */
  close(): void {
    this.#isClosed = true;
    this.#cgroups.remove(this.cgroup);
  }

  /** Writes the limits when this program, which they would hold for as well, has left. */
  async #limit(): Promise<void> {
    const hasLeft = await this.#cgroups.hasLeft(this.cgroup);
    if (this.#isClosed) return;
    try {
      if (!hasLeft) throw new Error(`this program cannot leave its cgroup: ${this.#cgroups.fault}`);
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

function usageOf(cgroup: Cgroup): Usage {
  return {
    memoryBytes: numberIn(cgroup, "memory.current"),
    cpuSeconds: countOf(cgroup, "cpu.stat", "usage_usec") / 1e6,
    processes: cgroup.pids().filter((pid) => pid !== Deno.pid).length,
  };
}

/** Returns the number in a file. Null if its controller is not enabled. */
function numberIn(cgroup: Cgroup, file: string): number | null {
  try {
    return Number(cgroup.read(file));
  } catch {
    return null;
  }
}

/** Returns a number in a file of counters. 0 if its controller is not enabled. */
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
