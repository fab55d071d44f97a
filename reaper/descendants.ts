import type { Libc } from "./libc.ts";

/**
 * Returns the pids of all processes that the reaper is responsible for, as /proc lists them. Processes that are forked
 * at the same time may be missed.
 *
 * PID 1 is responsible for its whole PID namespace, including processes that entered it from outside. Any other reaper
 * is responsible for its descendants.
 *
 * @returns Null if /proc is missing or shows another PID namespace. Its pids would then belong to unrelated processes.
 */
export function descendants(libc: Libc): number[] | null {
  const own = libc.getpid();
  if (Number.parseInt(libc.readFile("/proc/self/stat") ?? "") !== own) return null;
  return own === 1 ? numbersIn(libc, "/proc").filter((pid) => pid !== own) : below(libc, own);
}

/**
 * Identifies the program that a process runs: the pid and the address of the stack, which each exec changes. Between
 * fork and exec, a process may swallow a signal with its parent's handler.
 */
export function programOf(libc: Libc, pid: number): string {
  const stat = libc.readFile(`/proc/${pid}/stat`) ?? "";
  // The name may contain anything, so skip it. Field 28 of all fields is the start of the stack.
  return `${pid} ${stat.slice(stat.lastIndexOf(")")).split(" ")[26]}`;
}

function below(libc: Libc, pid: number): number[] {
  return numbersIn(libc, `/proc/${pid}/task`).flatMap((thread) => {
    const children = libc.readFile(`/proc/${pid}/task/${thread}/children`) ?? "";
    return [...children.matchAll(/\d+/g)].flatMap(([child]) => [Number(child), ...below(libc, Number(child))]);
  });
}

function numbersIn(libc: Libc, directory: string): number[] {
  return libc.readDirectory(directory).filter((name) => /^\d+$/.test(name)).map(Number);
}
