import type { Libc } from "./libc.ts";

/** What it needs of the C library. */
type Reader = Pick<Libc, "getpid" | "readFile" | "readDirectory">;

/** How often the processes are read, at most, until two readings agree. */
const MAX_READS = 10;

/**
 * Returns the pids of all descendants of this process, as /proc lists them. A reading may miss a process that is forked
 * or loses its parent in the meantime, so this reads until nothing changes, but not for long.
 *
 * @returns Nothing if /proc is missing or shows another PID namespace. Its pids would then belong to unrelated
 * processes.
 */
export function descendants(libc: Reader): number[] {
  const own = libc.getpid();
  if (Number.parseInt(libc.readFile("/proc/self/stat") ?? "") !== own) return [];
  let pids = below(libc, own);
  for (let reads = 1; reads < MAX_READS; reads++) {
    const before = pids;
    pids = below(libc, own);
    if (`${pids}` === `${before}`) break;
  }
  return pids;
}

function below(libc: Reader, pid: number): number[] {
  const threads = libc.readDirectory(`/proc/${pid}/task`).filter((name) => /^\d+$/.test(name));
  return threads.flatMap((thread) => {
    const children = libc.readFile(`/proc/${pid}/task/${thread}/children`) ?? "";
    return [...children.matchAll(/\d+/g)].flatMap(([child]) => [Number(child), ...below(libc, Number(child))]);
  });
}
