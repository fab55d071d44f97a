import {
  changesUser,
  type Lack,
  needsWrappers,
  type Spec,
  splitEnv,
  type Wrapped,
  type Wrapper,
  wrappersOf,
} from "@ncolony/core";
import { requireStartable } from "./command.ts";
import { type LeaderOptions, startLeader } from "./session.ts";
import { askTool, LackError, pathOfTool } from "./system_tools.ts";
import { requireUmask, withUmask } from "./umask.ts";
import { groupsOf, isOwnUser } from "./users.ts";

/** What decides whether surroundings can be had. A `Spec` has all of it. */
type Surrounded = Wrapped & Pick<Spec, "env" | "envInherit">;

/**
 * Returns what keeps a child from getting its surroundings on this machine, and the key that asks for it. Null if
 * nothing does.
 *
 * It tries each key with true(1) as the command, which takes some milliseconds. A spec without surroundings costs
 * nothing.
 */
export function lackOf(spec: Surrounded): Lack | null {
  const lack = firstLack(spec);
  if (lack === null) return null;
  return { field: lack.field, reason: `${JSON.stringify(lack.field)} cannot be set: ${lack.why}` };
}

/** Checks the limit of open files of children whose specs have none. @throws {Error} If it cannot be set. */
export function requireNofile(nofile: number): void {
  const lack = firstLack({ env: {}, envInherit: [], surroundings: { nofile } });
  if (lack !== null) throw new Error(`a limit of ${nofile} open files cannot be set: ${lack.why}`);
}

function firstLack(spec: Surrounded): { readonly field: string; readonly why: string } | null {
  for (const [field, check] of checksOf(spec)) {
    try {
      check();
    } catch (error) {
      // Anything else may pass, such as a name service that does not answer. Each start reports it.
      return error instanceof LackError ? { field, why: error.message } : null;
    }
  }
  return null;
}

function* checksOf(spec: Surrounded): Generator<[field: string, check: () => void]> {
  const { umask, user, nice } = spec.surroundings;
  if (umask !== undefined) yield ["ncolony.monitor.umask", requireUmask];
  if (user !== undefined) yield ["ncolony.monitor.user", () => groupsOf(user)];
  if (nice !== undefined) yield ["ncolony.monitor.nice", ownNice];
  const names = [...Object.keys(spec.env), ...spec.envInherit];
  const { unsafe } = splitEnv(Object.fromEntries(names.map((name) => [name, ""])));
  // Its directory may be created later.
  const placed = spec.cwd === undefined ? spec : { ...spec, cwd: "/" };
  for (const { field, tool, args } of wrappersFor(withoutOwnUser(placed), unsafe)) {
    yield [field, () => askTool(tool, ...args, pathOfTool("true"))];
  }
}

/**
 * Starts a command in its surroundings, as the leader of its own session and process group.
 *
 * What Deno cannot do, programs of the system do. Each becomes the next one, so the pid stays the same. They may run as
 * root, so they do not get variables that make the C library load code: env(1) sets those at the end.
 *
 * @param wanted As whom, where and in which surroundings it runs.
 * @param options Deno's other options of the command.
 * @throws {Error} If it cannot be started.
 */
export function startIn(wanted: Wrapped, command: string, options: LeaderOptions): Deno.ChildProcess {
  const spec = withoutOwnUser(wanted);
  const { cwd, uid, gid, surroundings: { umask } } = spec;
  const inDirectory = cwd === undefined ? {} : { cwd };
  if (!needsWrappers(spec.surroundings)) {
    const asUser = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
    return withUmask(umask, () => startLeader(command, { ...options, ...inDirectory, ...asUser }));
  }
  requireStartable(command, cwd);
  const { safe, unsafe } = splitEnv(options.env ?? {});
  const wrappers = wrappersFor(spec, unsafe);
  if (command.includes("=") && wrappers.at(-1)?.tool === "env") {
    throw new Error(`command ${JSON.stringify(command)} has a "=", and env(1) would take it for a variable`);
  }
  const under = wrappers.flatMap(({ tool, args }) => [pathOfTool(tool), ...args]);
  // Only its own user may be able to enter the directory, so env(1) does that at the end.
  const own = { ...options, env: safe, ...(changesUser(spec) && cwd !== undefined ? { cwd: "/" } : inDirectory) };
  // Otherwise a wrapper would take it for an option.
  return withUmask(umask, () => startLeader(command.replace(/^-/, "./-"), own, under));
}

/** Returns a spec without the user that this program already is. Only root could set it again. */
function withoutOwnUser<T extends Wrapped>(spec: T): T {
  const { user, ...others } = spec.surroundings;
  if (user === undefined || others.supplementaryGroups !== undefined || Deno.uid() === 0) return spec;
  return isOwnUser(user) ? { ...spec, surroundings: others } : spec;
}

/** Returns what executes a command in its surroundings. @throws {Error} If that cannot be found out. */
function wrappersFor(spec: Wrapped, variables: Readonly<Record<string, string>>): readonly Wrapper[] {
  const { nice, user } = spec.surroundings;
  return wrappersOf(spec, {
    userGroups: user === undefined ? [] : groupsOf(user),
    isRoot: Deno.uid() === 0,
    ownNice: nice === undefined ? 0 : ownNice(),
    variables,
  });
}

function ownNice(): number {
  return Number(askTool("nice"));
}
