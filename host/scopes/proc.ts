import { isEndedProcess } from "../deno_errors.ts";

/** What /proc/PID/stat says about a process. */
export interface ProcessInfo {
  /** Its pid. */
  readonly pid: number;
  /** The pid of its parent. */
  readonly parent: number;
  /** Its process group. */
  readonly group: number;
  /** Its session. */
  readonly session: number;
  /** Whether it is a zombie with all of its threads. */
  readonly hasEnded: boolean;
  /** When it started, in clock ticks since the boot. With the pid and the boot id it identifies the process. */
  readonly start: string;
}

/** Reads /proc/PID/stat. Returns null if there is no such process. @throws {Error} If it cannot be read. */
export function readProcess(pid: number): ProcessInfo | null {
  const text = readProc(`${pid}/stat`);
  return text === null ? null : parseStats(text)[0] ?? null;
}

/** Reads /proc/PID/stat of all processes. @throws {Error} If they cannot be read. */
export function readProcesses(): ProcessInfo[] {
  return allPids().map(readProcess).filter((info) => info !== null);
}

/**
 * Matches one /proc/PID/stat. The second field is the command in parentheses, which may contain anything, even newlines
 * and text that looks like fields. A letter and at least 40 numbers follow it.
 */
const STAT = /^(\d+) \([^]*?\) ([A-Za-z])((?: -?\d+){40,})$/gm;

/** Parses one or several files /proc/PID/stat. */
export function parseStats(text: string): ProcessInfo[] {
  return [...text.matchAll(STAT)].map(([, pid, state, rest]) => {
    const fields = rest!.trim().split(" ");
    return {
      pid: Number(pid),
      parent: Number(fields[0]),
      group: Number(fields[1]),
      session: Number(fields[2]),
      hasEnded: isEnd(state!) && Number(fields[16]) <= 1,
      start: fields[18]!,
    };
  });
}

/** Identifies a process in this boot, even if its pid is used again. */
export function keyOf({ pid, start }: ProcessInfo): string {
  return `${pid} ${start}`;
}

/** Returns the keys of the zombies among some processes. */
export function zombiesIn(processes: Iterable<ProcessInfo>): Set<string> {
  return new Set(Iterator.from(processes).filter(({ hasEnded }) => hasEnded).map(keyOf));
}

/** What /proc says about a thread of a process. */
export interface ThreadInfo {
  /** Its id. The id of the first thread is the pid. */
  readonly id: number;
  /** Its state: `S` for sleeping, `D` for uninterruptible sleep, `Z` for a zombie, and so on. */
  readonly state: string;
  /** The pid of the process that traces it, or 0. */
  readonly tracer: number;
}

/** Reads the threads of a process. Returns none if there is no such process. @throws {Error} If they cannot be read. */
export function readThreads(pid: number): ThreadInfo[] {
  const ids = ifThere(() => numbersIn(`/proc/${pid}/task`)) ?? [];
  return ids.flatMap((id) => {
    const text = readProc(`${pid}/task/${id}/status`);
    if (text === null) return [];
    return [{
      id,
      state: /^State:\s*(\S)/m.exec(text)?.[1] ?? "?",
      tracer: Number(/^TracerPid:\s*(\d+)/m.exec(text)?.[1]),
    }];
  });
}

/**
 * Returns whether a process is gone or a zombie with all of its threads. Its first thread may have exited while another
 * one lives on.
 *
 * @throws {Error} If that cannot be read.
 */
export function hasEnded(pid: number): boolean {
  return readThreads(pid).every(({ state }) => isEnd(state));
}

/** Returns whether a thread in this state has exited. */
export function isEnd(state: string): boolean {
  return state === "Z" || state === "X";
}

/** Reads a variable of the environment that a process was started with. @throws {Error} If it cannot be read. */
export function readVariable(pid: number, name: string): string | undefined {
  const variables = readProc(`${pid}/environ`)?.split("\0") ?? [];
  return variables.find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Reads variables of the environment that a process was started with. Finds none if that cannot be read. */
export async function readVariables(pid: number, names: readonly string[]): Promise<(string | undefined)[]> {
  try {
    const variables = (await Deno.readTextFile(`/proc/${pid}/environ`)).split("\0");
    return names.map((name) => variables.find((it) => it.startsWith(`${name}=`))?.slice(name.length + 1));
  } catch {
    // It exited, or belongs to another user, so that only root may read it.
    return names.map(() => undefined);
  }
}

/** Returns all pids. @throws {Error} If /proc cannot be read. */
export function allPids(): number[] {
  return numbersIn("/proc");
}

/** Returns the pids of a process group or of a session. @throws {Error} If /proc cannot be read. */
export function membersOf(kind: "group" | "session", id: number): number[] {
  return readProcesses().filter((info) => info[kind] === id).map(({ pid }) => pid);
}

/** Returns the id of the machine's boot. @throws {Error} If it may not be read. */
export function readBootId(): string {
  return (readProc("sys/kernel/random/boot_id") ?? "").trim();
}

/** Returns how many files this program may have open. @throws {Error} If that cannot be read. */
export function readDescriptorLimit(): number {
  const limit = Number(/^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"))?.[1]);
  return limit > 0 ? limit : Infinity;
}

/** Returns how many files this program has open. @throws {Error} If that cannot be read. */
export function countDescriptors(): number {
  return numbersIn("/proc/self/fd").length;
}

/** Returns the file descriptors that children inherit, besides the three streams. @throws {Error} If it cannot be read. */
export function inheritableDescriptors(): number[] {
  const O_CLOEXEC = 0o2000000;
  return numbersIn("/proc/self/fd").filter((descriptor) => {
    if (descriptor <= 2) return false;
    // It is gone if it belonged to the directory that was just read.
    const flags = /^flags:\s*(\d+)/m.exec(readProc(`self/fdinfo/${descriptor}`) ?? "")?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  });
}

/** Returns the positive numbers among the names in a directory. */
function numbersIn(path: string): number[] {
  return [...Deno.readDirSync(path)].map(({ name }) => Number(name)).filter((number) => number > 0);
}

function readProc(path: string): string | null {
  return ifThere(() => Deno.readTextFileSync(`/proc/${path}`));
}

/** Returns what `read` returns. Null if it does not exist. */
function ifThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    if (isEndedProcess(error)) return null;
    throw error;
  }
}
