import type { KillScope, Limits, Surroundings } from "@ncolony/core";
import { ChildCgroup } from "../scopes/child_cgroup.ts";
import { KillScopes } from "../scopes/kill_scopes.ts";
import type { Leader } from "../scopes/scope.ts";
import type { Child, ChildListener, ChildOutput, Clock } from "../types.ts";
import { DenoChild } from "./child.ts";
import { findCommand, whyNotStarted } from "./command.ts";
import { startIn } from "./surroundings.ts";

/** What to start, and how. A `Spec` has most of these. */
export interface SpawnOptions {
  /** The command and its arguments. */
  readonly args: readonly [string, ...string[]];
  /** Returns the environment. If it throws, the child cannot be started. @default {this program's environment} */
  readonly env?: () => Record<string, string>;
  /** Variables that it gets in addition to this program's environment; only without `env`. */
  readonly variables?: Readonly<Record<string, string>>;
  /**
   * Its stdin: `/dev/null`; a pipe that nothing is written to and that stays open until its kill scope is empty; or what
   * is written to a pipe, which is closed then.
   */
  readonly stdin: "piped" | "null" | Uint8Array<ArrayBuffer>;
  /** The user id to run as. @default {this program's} */
  readonly uid?: number;
  /** The group id to run as. @default {this program's} */
  readonly gid?: number;
  /** The working directory. @default {this program's} */
  readonly cwd?: string;
  /** Its user, groups, umask, priorities and limit of open files; only together with `env`. @default {{}} */
  readonly surroundings?: Surroundings;
  /** The name of its process, which its cgroup gets. */
  readonly name: string;
  /** Which processes signals are sent to. */
  readonly killScope: KillScope;
  /** What it may use. @default {{}} */
  readonly limits?: Limits;
  /** Whether the leader may exit with 0 while the child goes on, until its cgroup is empty. @default {false} */
  readonly daemonizes?: boolean;
}

/**
 * Starts a child as the leader of its own session and process group. If root starts it, it has no supplementary groups.
 * Its widest kill scope is the session.
 *
 * @returns The child. Null if it could not be started, which was reported to `listener` as its exit.
 */
export function spawnChild(
  start: SpawnOptions,
  output: ChildOutput,
  listener: ChildListener,
  clock: Clock,
): Child | null {
  return spawnIn(new KillScopes({ clock }), start, output, listener, clock);
}

/** Returns why {@linkcode spawnChild} does not offer a kill scope on this machine. Null if it does. */
export function whyNoScope(scope: KillScope, clock: Clock): string | null {
  return new KillScopes({ clock }).whyNot(scope);
}

/** Starts a child in the kill scopes that a monitor uses. */
export function spawnIn(
  scopes: KillScopes,
  start: SpawnOptions,
  output: ChildOutput,
  listener: ChildListener,
  clock: Clock,
): Child | null {
  const warn = (message: string) => listener.warn(message);
  try {
    const cwd = start.cwd ?? fallbackCwd(listener);
    const placed = cwd === undefined ? start : { ...start, cwd };
    const { name, killScope, limits = {}, daemonizes = false } = start;
    const { result: child, cgroup } = scopes.start({ name, killScope, limits, daemonizes }, () => startChild(placed));
    const own = cgroup === null ? null : new ChildCgroup(cgroup, scopes.cgroups!, limits, warn);
    const toScope = (leader: Leader) => scopes.scopeOf(leader, killScope, cgroup, warn);
    return new DenoChild(child, {
      cgroup: own,
      toScope,
      output,
      listener,
      clock,
      daemonizes,
      stdin: start.stdin,
    });
  } catch (error) {
    // Any error counts as the child's exit, from a missing command to a TypeError for an invalid argument.
    output.end();
    listener.leaderExited({ type: "failed", reason: whyNotStarted(error, start) });
    listener.groupExited();
    return null;
  }
}

/** Whether it was logged that this program's working directory is gone. */
let isLossLogged = false;

/** Returns the `cwd` of a child without one: `/` if this program's working directory is gone, else undefined. */
function fallbackCwd(listener: ChildListener): string | undefined {
  try {
    Deno.cwd();
    isLossLogged = false;
    return undefined;
  } catch (error) {
    // If it may not be looked up, the start shows whether it can be used.
    if (!(error instanceof Deno.errors.NotFound)) return undefined;
    if (!isLossLogged) {
      listener.warn('the current working directory no longer exists: processes without a "cwd" run in /');
    }
    isLossLogged = true;
    return "/";
  }
}

function startChild(start: SpawnOptions): Deno.ChildProcess {
  const [command, ...args] = start.args;
  const env = start.env?.();
  const path = env === undefined ? command : findCommand(command, env.PATH, start.cwd);
  return startIn({ surroundings: {}, ...start }, path, {
    args,
    ...(env === undefined ? { env: { ...start.variables } } : { env, clearEnv: true }),
    stdin: start.stdin === "null" ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  });
}
