/**
 * What Deno's errors say, in words for people. Deno tells many things apart by its texts alone; they are read here and
 * nowhere else, and the tests provoke each.
 *
 * @module
 */

import { shownText } from "@ncolony/core";

/** What Deno says of an operation on a file: why, which operation, on what, and where that was to go. */
const OPERATION = /^(.+?)(?: \(os error \d+\))?: \w+ '(.*?)'(?: -> '(.*)')?$/s;

/** What Deno says of a permission: to do what, and which flag gives it. */
const PERMISSION =
  /^Requires \w+ access(?: to (.+?))?, (?:run again with the (--allow-[\w-]+) flag|specify .* `deno compile (--allow-[\w-]+)`)$/s;

/**
 * Says what went wrong to a person who does not know Deno: of what, in quotes, before why. Nothing of it is a value.
 *
 * @param error What was thrown, also by this project.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [, what, run, compiled] = PERMISSION.exec(error.message) ?? [];
  const flag = run ?? compiled;
  if (flag !== undefined) return `needs ${flag}${what === undefined ? "" : ` for ${what}`}`;
  const [, why, path, to] = OPERATION.exec(error.message) ?? [];
  const bare = error.message.replace(/\.? about \[.*\]$/s, "").replace(/ \(os error \d+\)/, "");
  if (path === undefined) return bare === error.message ? bare : lowerFirst(bare);
  return `${JSON.stringify(shownText(to ?? path))}: ${lowerFirst(why!)}`;
}

/** Words of the operating system as they stand amid a sentence. */
function lowerFirst(words: string): string {
  return words.charAt(0).toLowerCase() + words.slice(1);
}

/** Names an error of the file system in a few words, without the path. */
export function faultOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "is not there";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.FilesystemLoop) return "is a symbolic link that leads back to itself";
  if (error instanceof Deno.errors.NotCapable) {
    return `needs ${/--allow-\w+/.exec(error.message)?.[0] ?? error.message}`;
  }
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "ELOOP") return "is a symbolic link";
  // Of an error of Deno's, of one without a path, and of one of node:fs.
  const [, why] = OPERATION.exec(error.message) ?? /^(.*) \(os error \d+\)$/s.exec(error.message) ??
    /^E[A-Z]+: (.+?)(?:, \w+.*)?$/s.exec(error.message) ?? [];
  return why === undefined ? code || error.message : lowerFirst(why);
}

/** Whether something could not be started because its working directory is not there, or may not be entered. */
export function isAboutDirectory(error: unknown): boolean {
  const message = error instanceof Error ? error.message : String(error);
  // Behind the command, which may hold anything.
  const told = message.slice(message.lastIndexOf("': ") + 1);
  return /^: (No such cwd|cwd is not a directory) '|^: failed resolving cwd: /.test(told);
}

/** Why the system did not start something; undefined where it was not the system that kept it from that. */
export function whyNotSpawned(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : String(error);
  const [, why] = /^Failed to spawn '.*': (.*?)(?: \(os error \d+\))?$/s.exec(message) ?? [];
  return why === undefined ? undefined : lowerFirst(why);
}

/** The number of a signal that ended a child and that Deno cannot name, as real-time ones: "Invalid signal: 35". */
export function unnamedSignal(error: unknown): number | undefined {
  const number = error instanceof Error ? /\d+$/.exec(error.message)?.[0] : undefined;
  return number === undefined ? undefined : Number(number);
}

/** Whether a process ended while its files in /proc were read (ESRCH). */
export function isEndedProcess(error: unknown): boolean {
  return error instanceof Error && /os error 3\b/.test(error.message);
}

/** Whether a watch told of a name that is not UTF-8. */
export function isNotUtf8(error: unknown): boolean {
  return error instanceof TypeError && error.message.includes("UTF-8");
}
