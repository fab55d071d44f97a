import { join } from "@std/path/posix/join";
import { isEndedProcess } from "../deno_errors.ts";

/** What is told of one process of the operating system. */
export interface ProcessInfo {
  /** The pid of its parent. */
  readonly parent: number;
  /** Its process group. */
  readonly group: number;
  /** When it started, in clock ticks since the boot: with the pid and the boot id it is the process's identity. */
  readonly start: string;
}

/** Reads /proc/PID/stat; null where there is no such process. @throws {Error} Where that may not be read. */
export function readProcess(pid: number): ProcessInfo | null {
  const text = readProc(`${pid}`, "stat");
  if (text === null) return null;
  // The second field is the command in parentheses, which may hold anything; the third, the state, follows the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { parent: Number(fields[1]), group: Number(fields[2]), start: fields[19]! };
}

/** What is told of one thread of a process. */
export interface ThreadInfo {
  /** Its id; that of the first one is the process's pid. */
  readonly id: number;
  /** `S` for one that sleeps, `D` for an uninterruptible sleep, `Z` for one that ended and whom nobody asked how, and so on. */
  readonly state: string;
  /** The pid of who traces it, or 0. */
  readonly tracer: number;
}

/** Reads the threads of a process; none where there is no such process. @throws {Error} Where that may not be read. */
export function readThreads(pid: number): ThreadInfo[] {
  const ids = ifThere(() => numbersIn(`/proc/${pid}/task`)) ?? [];
  return ids.flatMap((id) => {
    const text = readProc(`${pid}`, "task", `${id}`, "status");
    if (text === null) return [];
    return [{
      id,
      state: /^State:\s*(\S)/m.exec(text)?.[1] ?? "?",
      tracer: Number(/^TracerPid:\s*(\d+)/m.exec(text)?.[1]),
    }];
  });
}

/**
 * Whether a process is gone, or all of its threads have ended and only nobody has asked how. The first thread may have, and
 * another one live on.
 *
 * @throws {Error} Where that may not be read.
 */
export function hasEnded(pid: number): boolean {
  return readThreads(pid).every(({ state }) => isEnd(state));
}

/** Whether a state is that of a thread that has ended. */
export function isEnd(state: string): boolean {
  return state === "Z" || state === "X";
}

/** Reads a variable of the environment that a process was started with. @throws {Error} Where that may not be read. */
export function readVariable(pid: number, name: string): string | undefined {
  const variables = readProc(`${pid}`, "environ")?.split("\0") ?? [];
  return variables.find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Reads variables of the environment that a process was started with; none where that may not be read, or there is none. */
export async function readVariables(pid: number, names: readonly string[]): Promise<(string | undefined)[]> {
  try {
    const variables = (await Deno.readTextFile(`/proc/${pid}/environ`)).split("\0");
    return names.map((name) => variables.find((it) => it.startsWith(`${name}=`))?.slice(name.length + 1));
  } catch {
    // It ended, or is another user's, whom only root may ask.
    return names.map(() => undefined);
  }
}

/** All pids. @throws {Error} Where /proc may not be read. */
export function allPids(): number[] {
  return numbersIn("/proc");
}

/** The pids of a process group. @throws {Error} Where /proc may not be read. */
export function membersOf(group: number): number[] {
  return allPids().filter((pid) => readProcess(pid)?.group === group);
}

/** Tells this boot of the machine from others. @throws {Error} Where that may not be read. */
export function readBootId(): string {
  return (readProc("sys/kernel/random/boot_id") ?? "").trim();
}

/** How many files this program may have open. @throws {Error} Where that may not be read. */
export function readDescriptorLimit(): number {
  const limit = Number(/^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"))?.[1]);
  return limit > 0 ? limit : Infinity;
}

/** How many files this program has open. @throws {Error} Where that may not be read. */
export function countDescriptors(): number {
  return numbersIn("/proc/self/fd").length;
}

/** The numbers above 0 among the names in a directory. */
function numbersIn(path: string): number[] {
  return [...Deno.readDirSync(path)].map(({ name }) => Number(name)).filter((number) => number > 0);
}

function readProc(...names: string[]): string | null {
  return ifThere(() => Deno.readTextFileSync(join("/proc", ...names)));
}

/** What is read; null where it is not there. */
function ifThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    if (isEndedProcess(error)) return null;
    throw error;
  }
}
