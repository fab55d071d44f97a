/**
 * Turns Deno's errors into plain messages. Many of Deno's errors differ only in their text. Only this module reads
 * those texts, and tests provoke each of them.
 *
 * @module
 */

import { shownText } from "@ncolony/core";

/** Deno's message for a failed file operation: the reason, the path, and the destination of a rename. */
const OPERATION = /^(.+?)(?: \(os error \d+\))?: \w+ '(.*?)'(?: -> '(.*)')?$/s;

/** Deno's message for a missing permission: what was accessed, and the flag that grants the permission. */
const PERMISSION =
  /^Requires \w+ access(?: to (.+?))?, (?:run again with the (--allow-[\w-]+) flag|specify .* `deno compile (--allow-[\w-]+)`)$/s;

/**
 * Describes an error for a user who does not know Deno: first the file in quotes, then the reason. The message contains
 * no values, which could be secrets.
 *
 * @param error What was thrown, by Deno or by this project.
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

/** Adapts a message of the operating system to the middle of a sentence. */
function lowerFirst(words: string): string {
  return words.charAt(0).toLowerCase() + words.slice(1);
}

/** Errors of node:fs that Deno words differently, or that mean something else here, by their codes. */
const NODE_CODES: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "is a directory",
  ENAMETOOLONG: "file name too long",
  // Files are opened with O_NOFOLLOW.
  ELOOP: "is a symbolic link",
};

/** Describes a file system error in a few words, without the path. */
export function faultOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file or directory";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.FilesystemLoop) return "too many levels of symbolic links";
  if (error instanceof Deno.errors.NotCapable) {
    return `needs ${/--allow-\w+/.exec(error.message)?.[0] ?? error.message}`;
  }
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code in NODE_CODES) return NODE_CODES[code]!;
  // The three forms: from Deno with a path, from Deno without one, and from node:fs.
  const [, why] = OPERATION.exec(error.message) ?? /^(.*) \(os error \d+\)$/s.exec(error.message) ??
    /^E[A-Z]+: (.+?)(?:, \w+.*)?$/s.exec(error.message) ?? [];
  return why === undefined ? code || error.message : lowerFirst(why);
}

/** Whether a process could not be started because its working directory is missing or cannot be entered. */
export function isAboutDirectory(error: unknown): boolean {
  const message = error instanceof Error ? error.message : String(error);
  // The text after the command, which may contain anything.
  const reason = message.slice(message.lastIndexOf("': ") + 1);
  return /^: (No such cwd|cwd is not a directory) '|^: failed resolving cwd: /.test(reason);
}

/** Why the system could not start a process. Undefined if the error did not come from the system. */
export function whyNotSpawned(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : String(error);
  const [, why] = /^Failed to spawn '.*': (.*?)(?: \(os error \d+\))?$/s.exec(message) ?? [];
  return why === undefined ? undefined : lowerFirst(why);
}

/**
 * The number of the signal that ended a child, if Deno cannot name it, as in "Invalid signal: 35" (a real-time signal).
 */
export function unnamedSignal(error: unknown): number | undefined {
  const number = error instanceof Error ? /\d+$/.exec(error.message)?.[0] : undefined;
  return number === undefined ? undefined : Number(number);
}

/** Whether a process exited while its files in /proc were being read (ESRCH). */
export function isEndedProcess(error: unknown): boolean {
  return error instanceof Error && /os error 3\b/.test(error.message);
}

/**
 * Whether a cgroup lists no processes, because it was removed while it was being read (ENODEV), or because it is one of
 * threads, whose processes another cgroup lists (EOPNOTSUPP).
 */
export function isWithoutProcesses(error: unknown): boolean {
  return error instanceof Error && /os error (19|95)\b/.test(error.message);
}

/** Whether a file could not be written because its file system is read-only. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EROFS";
}

/** Whether a watch reported a name that is not UTF-8. */
export function isNotUtf8(error: unknown): boolean {
  return error instanceof TypeError && error.message.includes("UTF-8");
}

/** Describes in a few words why `fetch` failed, or a server stopped: `connection refused`, `too many open files`. */
export function whyNotConnected(error: unknown): string {
  const { message } = error instanceof Error && error.cause instanceof Error ? error.cause : error as Error;
  const why = /^(?:.*: )?(.+?)(?: \(os error \d+\))?$/s.exec(`${message}`)?.[1] ?? "unknown error";
  return error instanceof Deno.errors.NotCapable ? describeError(error) : lowerFirst(why);
}

/** Whether an error of Deno, or of node:fs, is that there is no such file. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Error && "code" in error && error.code === "ENOENT";
}
