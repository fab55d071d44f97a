import { join } from "@std/path/posix/join";

/** What is told of one process of the operating system. */
export interface ProcessInfo {
  /** The pid of its parent. */
  readonly parent: number;
  /** Its process group. */
  readonly group: number;
  /** When it started, in clock ticks since the boot: with the pid and the boot id it is the process's identity. */
  readonly start: string;
  /** Whether it ended, and only its parent has not asked how. */
  readonly isZombie: boolean;
}

/** Reads /proc/PID/stat; null where there is no such process. @throws {Error} Where that may not be read. */
export function readProcess(pid: number): ProcessInfo | null {
  const text = readProc(`${pid}`, "stat");
  if (text === null) return null;
  // The second field is the command in parentheses, which may hold anything; the third, the state, follows the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { isZombie: fields[0] === "Z", parent: Number(fields[1]), group: Number(fields[2]), start: fields[19]! };
}

/** Reads a variable of the environment that a process was started with. @throws {Error} Where that may not be read. */
export function readVariable(pid: number, name: string): string | undefined {
  const variables = readProc(`${pid}`, "environ")?.split("\0") ?? [];
  return variables.find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** All pids. @throws {Error} Where /proc may not be read. */
export function allPids(): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => pid > 0);
}

/** The pids of a process group. @throws {Error} Where /proc may not be read. */
export function membersOf(group: number): number[] {
  return allPids().filter((pid) => readProcess(pid)?.group === group);
}

/** Tells this boot of the machine from others. @throws {Error} Where that may not be read. */
export function readBootId(): string {
  return (readProc("sys/kernel/random/boot_id") ?? "").trim();
}

function readProc(...names: string[]): string | null {
  try {
    return Deno.readTextFileSync(join("/proc", ...names));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    // ESRCH: it ended while it was read.
    if (error instanceof Error && /os error 3\b/.test(error.message)) return null;
    throw error;
  }
}

/** One line of /proc/self/mountinfo. */
export interface Mount {
  /** Where it is mounted. */
  readonly point: string;
  /** Whether nothing can be written there. */
  readonly isReadOnly: boolean;
}

/** The mounts that this program sees, in order. @throws {Error} Where /proc may not be read. */
export function readMounts(): Mount[] {
  return (readProc("self", "mountinfo") ?? "").split("\n").filter(Boolean).map((line) => {
    const [fields, superFields] = line.split(" - ").map((part) => part.split(" "));
    const point = fields[4].replaceAll(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
    return { point, isReadOnly: [fields[5], superFields[2]].some((options) => options.split(",").includes("ro")) };
  });
}
