import type { Spec } from "@ncolony/core";
import { resolve } from "@std/path/posix/resolve";
import { isExecutable } from "../scopes/shell.ts";
import { describeError, isAboutDirectory, whyNotSpawned } from "../deno_errors.ts";

/** The PATH that is searched for a bare command if the child's environment has none. */
const DEFAULT_PATH = "/bin:/usr/bin";

/**
 * Finds a bare command in a PATH. Deno would search this program's own PATH if the child's environment has none.
 *
 * @throws {Error} If it is in none of the directories.
 */
export function findCommand(command: string, path: string | undefined, cwd = "."): string {
  if (command.includes("/")) return command;
  const directories = (path ?? DEFAULT_PATH).split(":");
  const found = directories.map((directory) => resolve(cwd, directory, command)).find(isExecutable);
  if (found !== undefined) return found;
  const where = path === undefined ? `${DEFAULT_PATH} (its environment has no PATH)` : "the PATH of its environment";
  throw new Error(`command ${JSON.stringify(command)} not found in ${where}`);
}

/**
 * Checks a command and its directory, as far as this program can see them. This is for a command that another program
 * executes, which would run and fail, instead of not starting.
 *
 * @throws {Error} If it cannot be started.
 */
export function requireStartable(command: string, cwd = "."): void {
  const directory = lookAt(cwd);
  if (directory instanceof Error || directory?.isDirectory === false) throw new Error(noDirectory(cwd));
  const file = lookAt(resolve(cwd, command));
  if (file instanceof Error) throw file;
  if (file === null || file.isFile && ((file.mode ?? 0) & 0o111) !== 0) return;
  throw new Error(`command ${JSON.stringify(command)}: permission denied to execute it`);
}

/** Returns what is at a path, or why there is nothing. Null if this program may not see it. */
function lookAt(path: string): Deno.FileInfo | Error | null {
  try {
    return Deno.statSync(path);
  } catch (error) {
    const { NotCapable, PermissionDenied } = Deno.errors;
    if (error instanceof NotCapable || error instanceof PermissionDenied) return null;
    if (error instanceof Error) return error;
    throw error;
  }
}

function noDirectory(cwd: string): string {
  return `cwd ${JSON.stringify(cwd)} is not a directory, or cannot be entered`;
}

/**
 * Returns why a command could not be started. Deno throws the same class of error for a missing command and a missing
 * working directory, so the message is parsed. Checking the directory instead would need a permission.
 */
export function whyNotStarted(error: unknown, { args, cwd, uid }: Pick<Spec, "args" | "cwd" | "uid">): string {
  const command = `command ${JSON.stringify(args[0])}`;
  const where = cwd === undefined ? "the working directory" : `cwd ${JSON.stringify(cwd)}`;
  if (isAboutDirectory(error)) {
    return cwd === undefined ? "the working directory no longer exists, or cannot be entered" : noDirectory(cwd);
  }
  if (error instanceof Deno.errors.NotFound) return `${command} or its interpreter: no such file or directory`;
  const why = whyNotSpawned(error);
  if (why === undefined) return describeError(error);
  const reason = `${command}: ${why}`;
  if (!(error instanceof Deno.errors.PermissionDenied)) return reason;
  if (uid === undefined || uid === Deno.uid()) return `${reason} to execute it, or to enter ${where}`;
  if (Deno.uid() !== 0) return `${reason}: only root may run a command as another user`;
  return `${reason} for uid ${uid} to execute it, or to enter ${where}`;
}
