import type { Spec } from "@ncolony/core";
import { resolve } from "@std/path/posix/resolve";
import { isGranted } from "../permission.ts";
import { findCommand, requireStartable } from "./command.ts";

/** Something that a config names, and that this machine does not have. */
export interface Missing {
  /** The path of the key. */
  readonly field: string;
  /** What is missing. */
  readonly message: string;
}

/**
 * Finds what a config names and this machine does not have: its command, its directory, its user. What this program may
 * not see is taken to be there.
 */
export function missingHere(spec: Spec): Missing[] {
  const { args: [command], cwd, uid, surroundings: { user, supplementaryGroups = [] } } = spec;
  const noDirectory = missing("ncolony.monitor.cwd", () => requireDirectory(cwd));
  return [
    ...noDirectory,
    // A command may be looked for in that directory.
    ...noDirectory.length > 0 ? [] : missing("args", () => requireCommand(command, pathOf(spec), cwd ?? "/")),
    ...missing("uid", () => {
      if (uid !== undefined) requireAccount((account) => account[2] === `${uid}`, `id ${uid}`);
    }),
    ...missing("ncolony.monitor.groups", () => {
      const names = entriesOf("/etc/group").map(([name]) => name);
      const unknown = supplementaryGroups.find((group) => typeof group === "string" && !names.includes(group));
      if (unknown !== undefined) throw new Error(`/etc/group has no group ${JSON.stringify(unknown)}`);
    }),
    ...missing("ncolony.monitor.user", () => {
      if (user !== undefined) requireAccount(([name]) => name === user, `name ${JSON.stringify(user)}`);
    }),
  ];
}

function missing(field: string, require: () => void): Missing[] {
  try {
    require();
    return [];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isUnseen = error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied;
    return isUnseen ? [] : [{ field, message: error.message }];
  }
}

/** Returns the PATH of a process. Null if it is inherited, and this program may not know it. */
function pathOf({ env, envInherit }: Spec): string | undefined | null {
  if (!envInherit.includes("PATH")) return env.PATH;
  return isGranted({ name: "env", variable: "PATH" }) ? Deno.env.get("PATH") : null;
}

function requireDirectory(cwd: string | undefined): void {
  if (cwd === undefined) return;
  const path = JSON.stringify(cwd);
  try {
    if (Deno.statSync(cwd).isDirectory) return;
  } catch (error) {
    throw error instanceof Deno.errors.NotFound ? new Error(`there is no directory ${path}`) : error;
  }
  throw new Error(`${path} is not a directory`);
}

function requireCommand(command: string, path: string | undefined | null, cwd: string): void {
  if (!isGranted({ name: "read" })) return;
  if (!command.includes("/")) {
    if (path !== null) findCommand(command, path, cwd);
    return;
  }
  try {
    requireStartable(resolve(cwd, command), cwd);
  } catch (error) {
    throw error instanceof Deno.errors.NotFound ? new Error(`there is no command ${JSON.stringify(command)}`) : error;
  }
}

/** Looks for an account in /etc/passwd, which does not have those of name services. */
function requireAccount(isMeant: (account: readonly string[]) => boolean, what: string): void {
  if (!entriesOf("/etc/passwd").some(isMeant)) throw new Error(`/etc/passwd has no account with the ${what}`);
}

function entriesOf(path: string): string[][] {
  return Deno.readTextFileSync(path).split("\n").map((line) => line.split(":"));
}
