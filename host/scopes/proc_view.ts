import type { Clock } from "../types.ts";
import { hasEnded, membersOf, readBootId, readProcess, readVariable } from "./proc.ts";
import { askShell } from "./shell.ts";

/** A view of the processes on the machine. Each method throws if it cannot see them. */
export interface ProcView {
  /** Returns the id of the machine's boot. */
  bootId(): string;
  /** Returns when a process started, in clock ticks since the boot. Null if there is none. */
  startOf(pid: number): string | null;
  /** Returns whether a process is gone or a zombie with all of its threads. */
  hasEnded(pid: number): boolean;
  /** Returns the pids of a process group. */
  membersOf(group: number): number[];
  /** Returns a variable of the environment that a process was started with. */
  variableOf(pid: number, name: string): string | undefined;
}

/** Reads /proc, which Deno allows only with --allow-all. */
export const DIRECT_VIEW: ProcView = {
  bootId: readBootId,
  startOf: (pid) => readProcess(pid)?.start ?? null,
  hasEnded,
  membersOf,
  variableOf: readVariable,
};

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
  return mayReadProc() ? DIRECT_VIEW : new ShellView(() => clock.now());
}

/** A process, as the last scan found it. */
interface Seen {
  readonly pid: number;
  readonly group: number;
  readonly start: string;
  readonly hasEnded: boolean;
}

/** How long a scan is used again, in milliseconds: there may be many calls, and a scan takes some milliseconds. */
const FRESH_MS = 200;

/**
 * Reads /proc through sh(1) and cat(1), which needs only `--allow-run`. Each method throws if they do not exist, or may
 * not read it.
 */
export class ShellView implements ProcView {
  readonly #now: () => number;
  #boot = "";
  #seen = new Map<number, Seen>();
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

  membersOf(group: number): number[] {
    return this.#scan().values().filter((seen) => seen.group === group).map(({ pid }) => pid).toArray();
  }

  variableOf(pid: number, name: string): string | undefined {
    const environ = askShell(`cat /proc/${pid}/environ 2>/dev/null || [ ! -e /proc/${pid} ]`);
    return environ.split("\0").find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
  }

  #scan(): Map<number, Seen> {
    if (this.#now() < this.#until) return this.#seen;
    // A process that exits during the scan is no error.
    const text = askShell("cat /proc/sys/kernel/random/boot_id && { cat /proc/[0-9]*/stat 2>/dev/null; true; }");
    const end = text.indexOf("\n");
    this.#boot = text.slice(0, end);
    this.#seen = parseStats(text.slice(end + 1));
    this.#until = this.#now() + FRESH_MS;
    return this.#seen;
  }
}

/**
 * Matches one /proc/PID/stat. The second field is the command in parentheses, which may contain anything, even newlines
 * and text that looks like fields. A letter and at least 40 numbers follow it.
 */
const STAT = /^(\d+) \([^]*?\) ([A-Za-z])((?: -?\d+){40,})$/gm;

function parseStats(text: string): Map<number, Seen> {
  const seen = text.matchAll(STAT).map(([, pid, state, rest]) => {
    const fields = rest!.trim().split(" ");
    const hasEnded = (state === "Z" || state === "X") && Number(fields[16]) <= 1;
    return { pid: Number(pid), group: Number(fields[1]), start: fields[18]!, hasEnded };
  });
  return new Map(seen.map((it) => [it.pid, it]));
}
