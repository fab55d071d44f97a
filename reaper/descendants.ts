import type { Libc } from "./libc.ts";

/**
 * All processes that this program answers for, as /proc tells them now; those that fork meanwhile may be missed.
 *
 * PID 1 answers for all of its namespace, also for those that were put into it from outside; any other program for those
 * below it.
 *
 * @returns Null where /proc is not there, or tells of another namespace: its pids would be strangers' here.
 */
export function descendants(libc: Libc): number[] | null {
  const own = libc.getpid();
  if (Number.parseInt(libc.readFile("/proc/self/stat") ?? "") !== own) return null;
  return own === 1 ? numbersIn(libc, "/proc").filter((pid) => pid !== own) : below(libc, own);
}

/**
 * Tells the program that a process runs from the one before: between fork and exec a process may swallow a signal with its
 * parent's handler. Each exec has its stack at another address.
 */
export function programOf(libc: Libc, pid: number): string {
  const stat = libc.readFile(`/proc/${pid}/stat`) ?? "";
  // Behind the name, which may hold anything, the stack's beginning is the 28th of all fields.
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
