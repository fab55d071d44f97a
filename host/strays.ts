import { allPids, readProcess, readVariable } from "./proc.ts";

/** A process that some monitor started, as its environment says, and that has another parent by now: that monitor is gone. */
export interface Stray {
  /** The name of the process. */
  readonly name: string;
  /** The text of the config that it was started with. */
  readonly source: string;
  /** The user that it runs as. */
  readonly uid: number | null;
  /** Its pid. */
  readonly pid: number;
  /** The pid of the leader of its group, which may be itself. */
  readonly group: number;
  /** When it started, in clock ticks since the boot. */
  readonly start: string;
}

/**
 * Finds processes that monitors of this machine left behind.
 *
 * Who lost its parent was given to PID 1, or to a subreaper above, which is one of this program's own ancestors if it had the
 * monitor started as it had this program started. Where that holds the other ends of its pipes it is its monitor, and lives.
 *
 * @throws {Error} Where /proc may not be read, for which Deno wants --allow-all.
 */
export function findStrays(): Stray[] {
  const ancestors = ancestorsOf(Deno.pid);
  const ownGroup = readProcess(Deno.pid)?.group;
  const strays = allPids().map((pid) => ancestors.has(pid) ? null : strayOf(pid, ancestors));
  // With its own group it would end itself.
  return strays.filter((stray) => stray !== null && stray.group !== ownGroup) as Stray[];
}

function strayOf(pid: number, ancestors: ReadonlySet<number>): Stray | null {
  const info = readProcess(pid);
  if (info === null || !ancestors.has(info.parent)) return null;
  try {
    const name = readVariable(pid, "NCOLONY_NAME");
    const source = name === undefined ? undefined : readVariable(pid, "NCOLONY_CONFIG");
    if (name === undefined || source === undefined || isHeldBy(info.parent, pid)) return null;
    return { name, source, uid: Deno.statSync(`/proc/${pid}`).uid, pid, group: info.group, start: info.start };
  } catch {
    // It ended, or is another user's, whom only root may ask.
    return null;
  }
}

function ancestorsOf(pid: number): Set<number> {
  const ancestors = new Set([1]);
  for (let parent = readProcess(pid)?.parent ?? 0; parent > 1; parent = readProcess(parent)?.parent ?? 0) {
    ancestors.add(parent);
  }
  return ancestors;
}

/** Whether a process holds a pipe that another one has for its input or output. */
function isHeldBy(holder: number, pid: number): boolean {
  const pipes = new Set(["0", "1", "2"].map((fd) => pipeOf(pid, fd)).filter((pipe) => pipe !== null));
  if (pipes.size === 0) return false;
  return descriptorsOf(holder).some((fd) => pipes.has(pipeOf(holder, fd) ?? ""));
}

function descriptorsOf(pid: number): string[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => name);
  } catch {
    // It is another user's.
    return [];
  }
}

function pipeOf(pid: number, fd: string): string | null {
  try {
    const target = Deno.readLinkSync(`/proc/${pid}/fd/${fd}`);
    return target.startsWith("pipe:") ? target : null;
  } catch {
    // It was closed.
    return null;
  }
}
