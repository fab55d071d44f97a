import { hasEnded, isEnd, membersOf, readThreads, type ThreadInfo } from "./proc.ts";

/** The most processes that are named. */
const MAX_NAMED = 8;

const WORDS: Readonly<Record<string, string>> = {
  R: "running",
  S: "sleeping",
  D: "uninterruptible sleep",
  I: "idle",
  T: "stopped",
  t: "stopped",
  Z: "zombie",
  X: "dead",
};

/** Returns whether a process group has a member that is no zombie. False if /proc is missing or may not be read. */
export function hasLiveMember(group: number): boolean {
  try {
    return membersOf("group", group).some((pid) => !hasEnded(pid));
  } catch (error) {
    const { NotCapable, NotFound, PermissionDenied } = Deno.errors;
    // If it fails for another reason, such as a lack of file descriptors, assume a live member.
    return ![NotCapable, NotFound, PermissionDenied].some((unseen) => error instanceof unseen);
  }
}

/**
 * Names the processes that are left of a child, each with its state: `pid 4711 (uninterruptible sleep), pid 4712
 * (zombie that its parent does not reap)`.
 *
 * Only the states are read: a process that is stuck can block a reader of anything else, such as its environment.
 *
 * @param pid The pid of the leader.
 * @param members Returns the pids of all members. It may throw.
 */
export function whoIsLeft(pid: number, members: () => readonly number[]): string {
  try {
    const left = members().flatMap((pid) => {
      const thread = remainingThread(pid);
      return thread === undefined ? [] : [{ pid, thread }];
    });
    left.sort((a, b) => rank(a.thread) - rank(b.thread));
    const named = left.slice(0, MAX_NAMED).map(({ pid, thread }) => `pid ${pid} (${describe(pid, thread)})`);
    if (left.length > MAX_NAMED) named.push(`and ${left.length - MAX_NAMED} more`);
    return named.join(", ") || `pid ${pid} (not visible in /proc)`;
  } catch (error) {
    const missing = error instanceof Deno.errors.NotCapable ? " without --allow-all" : "";
    return `pid ${pid} (state unknown${missing})`;
  }
}

/** Returns the thread because of which a process still exists: a live one, or else one that exited and is traced. */
function remainingThread(pid: number): ThreadInfo | undefined {
  return readThreads(pid).sort((a, b) => rank(a) - rank(b))[0];
}

/** Ranks a thread. The lowest rank explains the most. */
function rank({ state, tracer }: ThreadInfo): number {
  if (!isEnd(state)) return 0;
  return tracer > 0 ? 1 : 2;
}

function describe(pid: number, { id, state, tracer }: ThreadInfo): string {
  const who = id === pid ? "" : `thread ${id}: `;
  const what = WORDS[state] ?? `state ${state}`;
  if (tracer > 0) return `${who}${what}, traced by pid ${tracer}`;
  return `${who}${what}${state === "Z" ? " that its parent does not reap" : ""}`;
}
