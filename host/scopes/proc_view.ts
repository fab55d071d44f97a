import type { Clock } from "../types.ts";
import {
  hasEnded,
  keyOf,
  parseStats,
  type ProcessInfo,
  readBootId,
  readProcess,
  readProcesses,
  readVariable,
  zombiesIn,
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
  /** Returns whether the scan before the last one had already found that a process was a zombie. */
  wasZombie(pid: number): boolean;
  /** Makes the next call scan again. */
  forget(): void;
  /** Returns a variable of the environment that a process was started with. */
  variableOf(pid: number, name: string): string | undefined;
}

/** How long a scan is used again, in milliseconds: there may be many calls, and a scan takes some milliseconds. */
const [DIRECT_FRESH_MS, SHELL_FRESH_MS] = [20, 200];

/** What both views have in common: the last scan, which is used again while it is fresh. */
abstract class ScanningView {
  readonly #now: () => number;
  readonly #freshMs: number;
  #seen: ReadonlyMap<number, ProcessInfo> = new Map();
  #oldZombies: ReadonlySet<string> = new Set();
  #until = -Infinity;

  constructor(now: () => number, freshMs: number) {
    this.#now = now;
    this.#freshMs = freshMs;
  }

  /** Reads all processes. @throws {Error} If they cannot be seen. */
  protected abstract scan(): readonly ProcessInfo[];

  /** Returns all processes by their pids. */
  protected processes(): ReadonlyMap<number, ProcessInfo> {
    if (this.#now() < this.#until) return this.#seen;
    const found = this.scan();
    this.#oldZombies = zombiesIn(this.#seen.values());
    this.#seen = new Map(found.map((info) => [info.pid, info]));
    this.#until = this.#now() + this.#freshMs;
    return this.#seen;
  }

  membersOf(kind: "group" | "session", id: number): number[] {
    return this.processes().values().filter((info) => info[kind] === id).map(({ pid }) => pid).toArray();
  }

  wasZombie(pid: number): boolean {
    const info = this.#seen.get(pid);
    return info !== undefined && this.#oldZombies.has(keyOf(info));
  }

  forget(): void {
    this.#until = -Infinity;
  }
}

/** Reads /proc, which Deno allows only with --allow-all. */
export class DirectView extends ScanningView implements ProcView {
  /** Creates a view. `now` reads a monotonic clock, in milliseconds. */
  constructor(now: () => number) {
    super(now, DIRECT_FRESH_MS);
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

  variableOf(pid: number, name: string): string | undefined {
    return readVariable(pid, name);
  }

  protected override scan(): ProcessInfo[] {
    return readProcesses();
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
export class ShellView extends ScanningView implements ProcView {
  #boot = "";

  /** Creates a view. `now` reads a monotonic clock, in milliseconds. */
  constructor(now: () => number) {
    super(now, SHELL_FRESH_MS);
  }

  bootId(): string {
    this.processes();
    return this.#boot;
  }

  startOf(pid: number): string | null {
    return this.processes().get(pid)?.start ?? null;
  }

  hasEnded(pid: number): boolean {
    return this.processes().get(pid)?.hasEnded ?? true;
  }

  variableOf(pid: number, name: string): string | undefined {
    const environ = askShell(`cat /proc/${pid}/environ 2>/dev/null || [ ! -e /proc/${pid} ]`);
    return environ.split("\0").find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
  }

  protected override scan(): ProcessInfo[] {
    // A process that exits during the scan is no error.
    const text = askShell("cat /proc/sys/kernel/random/boot_id && { cat /proc/[0-9]*/stat 2>/dev/null; true; }");
    const end = text.indexOf("\n");
    this.#boot = text.slice(0, end);
    return parseStats(text.slice(end + 1));
  }
}
