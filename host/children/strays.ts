import type { Clock } from "../types.ts";
import { allPids, readProcess, readVariables } from "./proc.ts";

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

/** So long environments may take to be read, in milliseconds: whoever holds the memory of a process makes others wait for it. */
const PATIENCE_MS = 1000;

/** So many are read at a time: each keeps one of Deno's 32 threads, and one that hangs for good. */
const READERS = 4;

/**
 * Finds processes that monitors of this machine left behind.
 *
 * Who lost its parent was given to PID 1, or to a subreaper above, which is one of this program's own ancestors if it had the
 * monitor started as it had this program started. Where that holds the other ends of its pipes it is its monitor, and lives.
 *
 * @throws {Error} Where /proc may not be read, for which Deno wants --allow-all.
 */
export async function findStrays(clock: Clock): Promise<Stray[]> {
  const ancestors = ancestorsOf(Deno.pid);
  const ownGroup = readProcess(Deno.pid)?.group;
  const found: Stray[] = [];
  const pids = allPids().values();
  const readSome = async () => {
    for (const pid of pids) {
      const info = ancestors.has(pid) ? null : readProcess(pid);
      // With its own group this program would end itself.
      if (info === null || !ancestors.has(info.parent) || info.group === ownGroup) continue;
      const [name, source] = await readVariables(pid, ["NCOLONY_NAME", "NCOLONY_CONFIG"]);
      if (name === undefined || source === undefined || isHeldBy(info.parent, pid)) continue;
      found.push({ name, source, uid: ownerOf(pid), pid, group: info.group, start: info.start });
    }
  };
  const late = Promise.withResolvers<void>();
  const cancel = clock.after(PATIENCE_MS, late.resolve);
  await Promise.race([Promise.all(Array.from({ length: READERS }, readSome)), late.promise]);
  cancel();
  return found;
}

function ownerOf(pid: number): number | null {
  try {
    return Deno.statSync(`/proc/${pid}`).uid;
  } catch {
    // It ended.
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
