import type { Clock } from "../types.ts";
import {
  hasEnded,
  parseStats,
  type ProcessInfo,
  readBootId,
  readProcess,
  readProcesses,
  readVariable,
} from "./proc.ts";
import { askShell } from "./shell.ts";

/** A view of the processes on the machine. Each method throws if it cannot see them. */
export interface ProcView {
  /** Returns the id of the machine's boot. */
  bootId(): string;
  /** Returns when a process started, in clock ticks since the boot. Null if there is none. */
  startOf(pid: number): string | null;
  /** Returns whether a process is gone or a zombie with all of its threads. */
  hasEnded(pid: number): boolean;
  /** Returns the pids of a process group or of a session, zombies included, as of the last scan if it is fresh. */
  membersOf(kind: "group" | "session", id: number): number[];
  /** Makes the next call scan. */
  forget(): void;
  /** Returns a variable of the environment that a process was started with. */
  variableOf(pid: number, name: string): string | undefined;
}

/** How long a scan is used again, in milliseconds: there may be many calls, and a scan takes some milliseconds. */
const [DIRECT_FRESH_MS, SHELL_FRESH_MS] = [20, 200];

/** Reads /proc, which Deno allows only with --allow-all. */
export class DirectView implements ProcView {
  readonly #now: () => number;
  #seen: readonly ProcessInfo[] = [];
  #until = -Infinity;

  /** Creates a view. `now` reads a monotonic clock, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  bootId(): string {
    return readBootId();
  }

  startOf(pid: number): string | null {
    return readProcess(pid)?.start ?? null;
  }

  hasEnded(pid: number): boolean {
    return hasEnded(pid);
  }

  membersOf(kind: "group" | "session", id: number): number[] {
    if (this.#now() >= this.#until) {
      this.#seen = readProcesses();
      this.#until = this.#now() + DIRECT_FRESH_MS;
    }
    return this.#seen.filter((info) => info[kind] === id).map(({ pid }) => pid);
  }

  forget(): void {
    this.#until = -Infinity;
  }

  variableOf(pid: number, name: string): string | undefined {
    return readVariable(pid, name);
  }
}

/** Returns whether this program may read /proc itself. */
export function mayReadProc(): boolean {
  try {
    readBootId();
    return true;
  } catch {
    return false;
  }
}

/** Returns the best view that this program's permissions allow. */
export function viewOfProcesses(clock: Pick<Clock, "now">): ProcView {
  const now = () => clock.now();
  return mayReadProc() ? new DirectView(now) : new ShellView(now);
}

/**
 * Reads /proc through sh(1) and cat(1), which needs only `--allow-run`. Each method throws if they do not exist, or may
 * not read it.
 */
export class ShellView implements ProcView {
  readonly #now: () => number;
  #boot = "";
  #seen = new Map<number, ProcessInfo>();
  #until = -Infinity;

  /** Creates a view. `now` reads a monotonic clock, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  bootId(): string {
    this.#scan();
    return this.#boot;
  }

  startOf(pid: number): string | null {
    return this.#scan().get(pid)?.start ?? null;
  }

  hasEnded(pid: number): boolean {
    return this.#scan().get(pid)?.hasEnded ?? true;
  }

  membersOf(kind: "group" | "session", id: number): number[] {
    return this.#scan().values().filter((info) => info[kind] === id).map(({ pid }) => pid).toArray();
  }

  forget(): void {
    this.#until = -Infinity;
  }

  variableOf(pid: number, name: string): string | undefined {
    const environ = askShell(`cat /proc/${pid}/environ 2>/dev/null || [ ! -e /proc/${pid} ]`);
    return environ.split("\0").find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
  }

  #scan(): Map<number, ProcessInfo> {
    if (this.#now() < this.#until) return this.#seen;
    // A process that exits during the scan is no error.
    const text = askShell("cat /proc/sys/kernel/random/boot_id && { cat /proc/[0-9]*/stat 2>/dev/null; true; }");
    const end = text.indexOf("\n");
    this.#boot = text.slice(0, end);
    this.#seen = new Map(parseStats(text.slice(end + 1)).map((info) => [info.pid, info]));
    this.#until = this.#now() + SHELL_FRESH_MS;
    return this.#seen;
  }
}
