import type { StopRules } from "@ncolony/core";
import type { ProcView } from "../scopes/proc_view.ts";
import { exists } from "../scopes/scope.ts";

/** What is known about a process that an earlier monitor started. */
export interface Trace {
  /** The name of the process. */
  readonly name: string;
  /** The pid of its leader. */
  readonly pid: number;
  /** When its leader started, in clock ticks since the boot. Null if unknown. */
  readonly start: string | null;
  /** The id of the machine's boot in which it started. Null if unknown. */
  readonly boot: string | null;
  /** How it is stopped. */
  readonly rules: StopRules;
}

/** Whether a pid that an earlier monitor wrote down still belongs to its process. */
export type Identity = "ours" | "stranger" | "unknown";

/**
 * Checks whether the process that an earlier monitor started still has its pid, or left other processes in its group.
 *
 * If there is a record, it decides: pid, start time and boot identify a process. Without one, or if only the group is
 * left, the environment decides: it contains `NCOLONY_NAME`, unless a program overwrote it. If neither may be read, a
 * pid that exists is `unknown`.
 */
export function identify({ name, pid, start, boot, rules }: Trace, view: ProcView): Identity {
  const kind = kindOf(rules);
  try {
    if (!exists(pid) && (kind === "process" || !exists(-pid) && !hasSession(kind, pid, view))) return "stranger";
    if (boot !== null && boot !== view.bootId()) return "stranger";
    const leaderStart = view.startOf(pid);
    if (leaderStart !== null && start !== null) return leaderStart === start ? "ours" : "stranger";
    // The environment of a zombie cannot be read, but its group may live on.
    const candidates = !view.hasEnded(pid) ? [pid] : kind === "process" ? [] : liveMembers(kind, pid, view);
    return candidates.some((pid) => view.variableOf(pid, "NCOLONY_NAME") === name) ? "ours" : "stranger";
  } catch {
    // /proc, or the environment of another user's process, may not be read, or processes come and go too fast.
    return "unknown";
  }
}

/** How often to look for the members of a group before they count as unseen. */
const MAX_LOOKS = 5;

/**
 * Returns the processes of a group or session, without zombies.
 *
 * A process that exits after it was listed may have started another one that was not listed. So if this finds only
 * zombies, or nobody, in a group that exists, it looks again. If two scans find the same zombies, nobody else is left.
 *
 * @throws {Error} If processes cannot be seen, or if they come and go too fast.
 */
function liveMembers(kind: "group" | "session", id: number, view: ProcView): number[] {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const members = view.membersOf(kind, id);
    const live = members.filter((pid) => !view.hasEnded(pid));
    if (live.length > 0 || !exists(-id)) return live;
    if (members.length > 0 && members.every((pid) => view.wasZombie(pid))) return [];
    view.forget();
  }
  throw new Error(`the processes of ${kind} ${id} come and go too fast`);
}

/** Which processes end with a leader, unless they are found by their cgroup. */
export type Kind = "process" | "group" | "session";

/** Returns which processes end with a leader by these rules. */
export function kindOf({ killScope }: StopRules): Kind {
  return killScope === "process" || killScope === "group" ? killScope : "session";
}

/** Returns whether a session is left of a leader and a group that do not exist any more. False if that is unseen. */
function hasSession(kind: Kind, pid: number, view: ProcView): boolean {
  try {
    return kind === "session" && view.membersOf(kind, pid).length > 0;
  } catch {
    return false;
  }
}

/** Returns whether no process is left of a trace, apart from zombies. */
export function isEmpty({ pid, rules }: Trace, view: ProcView): boolean {
  try {
    const kind = kindOf(rules);
    return view.hasEnded(pid) && (kind === "process" || liveMembers(kind, pid, view).length === 0);
  } catch {
    // It cannot be seen now, but it exists.
    return false;
  }
}
