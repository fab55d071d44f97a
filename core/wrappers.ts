import type { Group, Surroundings } from "./surroundings.ts";
import type { Spec } from "./types.ts";

/** A program of the system that changes itself, and then becomes the command that follows its arguments. */
export interface Wrapper {
  /** The key of the config that needs it. */
  readonly field: string;
  /** The name of the program. */
  readonly tool: "choom" | "env" | "nice" | "prlimit" | "setpriv";
  /** Its arguments. */
  readonly args: readonly string[];
}

/** The parts of a spec that wrappers carry out. */
export type Wrapped = Pick<Spec, "cwd" | "gid" | "surroundings" | "uid">;

/** What wrappers depend on, in addition to the spec. */
export interface WrapperFacts {
  /** All groups of the spec's user, its own group first. Empty if the spec names no user. */
  readonly userGroups: readonly number[];
  /** Whether this program runs as root. */
  readonly isRoot: boolean;
  /** The niceness of this program, because nice(1) adds to it. */
  readonly ownNice: number;
  /** Variables for the command that no other wrapper may have. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Returns what executes a command in its surroundings, in order: first what may need root, then setpriv, and then what
 * is done as the user of the process. None if Deno itself can do all that the spec asks for.
 */
export function wrappersOf(
  spec: Wrapped,
  { userGroups, isRoot, ownNice, variables }: WrapperFacts,
): readonly Wrapper[] {
  if (!needsWrappers(spec.surroundings)) return [];
  const { nice, oomScoreAdj, nofile } = spec.surroundings;
  return [
    ...(nice === undefined ? [] : [forKey("nice", "nice", "-n", `${nice - ownNice}`)]),
    ...(oomScoreAdj === undefined ? [] : [forKey("oom_score_adj", "choom", "-n", `${oomScoreAdj}`, "--")]),
    ...(changesUser(spec) ? [setpriv(spec, userGroups, isRoot)] : []),
    ...(nofile === undefined ? [] : [forKey("nofile", "prlimit", `--nofile=${nofile}:`)]),
    ...env(changesUser(spec) ? spec.cwd : undefined, variables),
  ];
}

/** Returns whether surroundings need wrappers. Deno itself can set the umask. */
export function needsWrappers({ umask: _, ...others }: Surroundings): boolean {
  return Object.keys(others).length > 0;
}

/** Returns whether a spec asks for another user or other groups. */
export function changesUser({ uid, gid, surroundings: { user, supplementaryGroups } }: Wrapped): boolean {
  return [uid, gid, user, supplementaryGroups].some((one) => one !== undefined);
}

function forKey(key: string, tool: Wrapper["tool"], ...args: readonly string[]): Wrapper {
  return { field: `ncolony.monitor.${key}`, tool, args };
}

/** As with Deno itself, a child of root has only the supplementary groups that its spec asks for. */
function setpriv({ uid, gid, surroundings }: Wrapped, userGroups: readonly number[], isRoot: boolean): Wrapper {
  const { user, supplementaryGroups = [] } = surroundings;
  const groups: readonly Group[] = [...userGroups, ...supplementaryGroups];
  const id = user ?? uid;
  const group = userGroups[0] ?? gid;
  const args = [
    ...(id === undefined ? [] : [`--reuid=${id}`]),
    ...(group === undefined ? [] : [`--regid=${group}`]),
    groups.length > 0 ? `--groups=${groups}` : isRoot ? "--clear-groups" : "--keep-groups",
  ];
  if (supplementaryGroups.length > 0) return forKey("groups", "setpriv", ...args);
  if (user !== undefined) return forKey("user", "setpriv", ...args);
  return { field: uid === undefined ? "gid" : "uid", tool: "setpriv", args };
}

function env(cwd: string | undefined, variables: Readonly<Record<string, string>>): Wrapper[] {
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  if (cwd !== undefined) return [forKey("cwd", "env", `--chdir=${cwd}`, ...assignments)];
  return assignments.length === 0 ? [] : [{ field: "env", tool: "env", args: assignments }];
}
