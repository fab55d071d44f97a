import type { Spec } from "@ncolony/core";
import { resolve } from "@std/path/posix/resolve";

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

function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    // Not there, or not to be seen: the next directory may have it.
    return false;
  }
}

/** Why a spec could not be started, from what was thrown. */
export function whyNotStarted(error: unknown, spec: Pick<Spec, "args" | "cwd" | "uid">): string {
  if (!(error instanceof Deno.errors.NotFound)) {
    const reason = error instanceof Error ? error.message : String(error);
    if (!(error instanceof Deno.errors.PermissionDenied) || spec.uid === undefined) return reason;
    if (Deno.uid() !== 0) return `${reason}: only root may run it as another user`;
    return `${reason}: uid ${spec.uid} may not run it, or not enter ${spec.cwd ?? "the monitor's working directory"}`;
  }
  if (!isDirectory(spec.cwd)) {
    if (spec.cwd !== undefined) return `cwd ${JSON.stringify(spec.cwd)} is no directory`;
    return "the monitor's working directory is gone, or its user may not enter it: start it in another, or set a cwd";
  }
  return `command ${JSON.stringify(spec.args[0])} (or its interpreter) is not there`;
}

function isDirectory(path: string | undefined): boolean {
  try {
    return Deno.statSync(path ?? Deno.cwd()).isDirectory;
  } catch (error) {
    // Who may not look cannot blame it. Anything else: not there, or not to be seen.
    return error instanceof Deno.errors.NotCapable;
  }
}
