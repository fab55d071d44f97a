import type { Spec } from "@ncolony/core";
import { resolve } from "@std/path/posix/resolve";
import { describeError, isAboutDirectory, whyNotSpawned } from "../deno_errors.ts";

/** Where a bare command is looked for when the child's environment has no PATH. */
const DEFAULT_PATH = "/bin:/usr/bin";

/**
 * Finds a bare command in a PATH: left to itself Deno would look in this program's own.
 *
 * @throws {Error} Where it is in none of the directories.
 */
export function findCommand(command: string, path: string | undefined, cwd = "."): string {
  if (command.includes("/")) return command;
  const directories = (path ?? DEFAULT_PATH).split(":");
  const found = directories.map((directory) => resolve(cwd, directory, command)).find(isExecutable);
  if (found !== undefined) return found;
  const where = path === undefined ? `${DEFAULT_PATH}, and its environment has no PATH` : "the PATH of its environment";
  throw new Error(`command ${JSON.stringify(command)} is not in ${where}`);
}

/** Whether a path leads to a file that somebody may execute, as far as that can be seen. */
export function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    // Not there, or not to be seen.
    return false;
  }
}

/**
 * Why something could not be started, from what was thrown. Deno throws the same class whether the command or the working
 * directory is not there, so its words are looked at: to look at the directory would need a permission.
 */
export function whyNotStarted(error: unknown, { args, cwd, uid }: Pick<Spec, "args" | "cwd" | "uid">): string {
  const command = `command ${JSON.stringify(args[0])}`;
  const where = cwd === undefined ? "the working directory" : `cwd ${JSON.stringify(cwd)}`;
  if (isAboutDirectory(error)) {
    const what = cwd === undefined ? "the working directory is gone" : `${where} is no directory`;
    return `${what}, or may not be entered`;
  }
  if (error instanceof Deno.errors.NotFound) return `${command} (or its interpreter) is not there`;
  const why = whyNotSpawned(error);
  if (why === undefined) return describeError(error);
  const reason = `${command}: ${why}`;
  if (!(error instanceof Deno.errors.PermissionDenied)) return reason;
  if (uid === undefined || uid === Deno.uid()) return `${reason}: it may not be run, or ${where} not be entered`;
  if (Deno.uid() !== 0) return `${reason}: only root may run it as another user`;
  return `${reason}: uid ${uid} may not run it, or not enter ${where}`;
}
