import type { Clock } from "../types.ts";
import { hasEnded, membersOf, readBootId, readProcess, readVariable } from "./proc.ts";
import { askShell } from "./shell.ts";

/** What is to be seen of processes. Each method throws where it cannot be seen. */
export interface ProcView {
  /** Tells this boot of the machine from others. */
  bootId(): string;
  /** When a process started, in clock ticks since the boot; null where there is none. */
  startOf(pid: number): string | null;
  /** Whether a process is gone, or all of it has ended and only nobody has asked how. */
  hasEnded(pid: number): boolean;
  /** The pids of a process group. */
  membersOf(group: number): number[];
  /** A variable of the environment that a process was started with. */
  variableOf(pid: number, name: string): string | undefined;
}

/** Through /proc, which Deno lets this program read with --allow-all alone. */
export const DIRECT_VIEW: ProcView = {
  bootId: readBootId,
  startOf: (pid) => readProcess(pid)?.start ?? null,
  hasEnded,
  membersOf,
  variableOf: readVariable,
};

/** Whether this program may read /proc itself. */
export function mayReadProc(): boolean {
  try {
    readBootId();
    return true;
  } catch {
    return false;
  }
}

/** What this program may see by. */
export function viewOfProcesses(clock: Pick<Clock, "now">): ProcView {
  return mayReadProc() ? DIRECT_VIEW : new ShellView(() => clock.now());
}

/** A process, as it was when all of them were looked at. */
interface Seen {
  readonly pid: number;
  readonly group: number;
  readonly start: string;
  readonly hasEnded: boolean;
}

/** So long a look at all processes is used again, in milliseconds: many may ask, and each takes some milliseconds. */
const FRESH_MS = 200;

/**
 * Through sh(1) and cat(1), which `--allow-run` lets read what this program may not. Where there are none, or they may not
 * either, each method throws.
 */
export class ShellView implements ProcView {
  readonly #now: () => number;
  #boot = "";
  #seen = new Map<number, Seen>();
  #until = -Infinity;

  /** Makes one that has looked at nothing yet; `now` gives milliseconds that only grow. */
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
    // Who ends meanwhile is no failure.
    const text = askShell("cat /proc/sys/kernel/random/boot_id && { cat /proc/[0-9]*/stat 2>/dev/null; true; }");
    const end = text.indexOf("\n");
    this.#boot = text.slice(0, end);
    this.#seen = parseStats(text.slice(end + 1));
    this.#until = this.#now() + FRESH_MS;
    return this.#seen;
  }
}

/**
 * One /proc/PID/stat. The second field is the command in parentheses, which may hold anything, also a newline and what
 * looks like other fields: those that follow it are a letter and many numbers.
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
