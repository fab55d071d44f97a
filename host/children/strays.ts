import type { Clock } from "../types.ts";
import { allPids, readProcess, readVariables } from "../scopes/proc.ts";

/** A process that a monitor started, as its environment shows, and that lost its parent: that monitor is gone. */
export interface Stray {
  /** The name of the process. */
  readonly name: string;
  /** The text of the config that it was started with. */
  readonly source: string;
  /** The user id that it runs as. Null if it has exited. */
  readonly uid: number | null;
  /** Its pid. */
  readonly pid: number;
  /** Its process group: the pid of the leader, which may be itself. */
  readonly group: number;
  /** When it started, in clock ticks since the boot. */
  readonly start: string;
}

/** How long reading environments may take, in milliseconds: a process whose memory is locked blocks its readers. */
const TIMEOUT_MS = 1000;

/** How many are read at a time. Each takes one of Deno's 32 threads, and one that hangs keeps it forever. */
const READERS = 4;

/**
 * Finds processes that monitors of this machine left behind.
 *
 * The parent of an orphan is PID 1 or a subreaper. If that subreaper started the monitor, as it started this program,
 * it is an ancestor of this program. If the parent holds the other ends of the process's pipes, it is the monitor
 * itself, and still runs.
 *
 * @throws {Error} If /proc may not be read, which Deno allows only with --allow-all.
 */
export async function findStrays(clock: Clock): Promise<Stray[]> {
  const ancestors = ancestorsOf(Deno.pid);
  const ownGroup = readProcess(Deno.pid)?.group;
  const found: Stray[] = [];
  const pids = allPids().values();
  const readSome = async () => {
    for (const pid of pids) {
      const info = ancestors.has(pid) ? null : readProcess(pid);
      // A signal to its own group would end this program too.
      if (info === null || !ancestors.has(info.parent) || info.group === ownGroup) continue;
      const [name, source] = await readVariables(pid, ["NCOLONY_NAME", "NCOLONY_CONFIG"]);
      if (name === undefined || source === undefined || isHeldBy(info.parent, pid)) continue;
      found.push({ name, source, uid: ownerOf(pid), pid, group: info.group, start: info.start });
    }
  };
  const late = Promise.withResolvers<void>();
  const cancel = clock.after(TIMEOUT_MS, late.resolve);
  await Promise.race([Promise.all(Array.from({ length: READERS }, readSome)), late.promise]);
  cancel();
  return found;
}

function ownerOf(pid: number): number | null {
  try {
    return Deno.statSync(`/proc/${pid}`).uid;
  } catch {
    // It exited.
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

/** Returns whether `holder` has a pipe open that is stdin, stdout or stderr of `pid`. */
function isHeldBy(holder: number, pid: number): boolean {
  const pipes = new Set(["0", "1", "2"].map((fd) => pipeOf(pid, fd)).filter((pipe) => pipe !== null));
  if (pipes.size === 0) return false;
  return descriptorsOf(holder).some((fd) => pipes.has(pipeOf(holder, fd) ?? ""));
}

function descriptorsOf(pid: number): string[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => name);
  } catch {
    // It belongs to another user.
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
