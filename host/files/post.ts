import { formatMessage, type Message, shownText } from "@ncolony/core";
import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";
import { faultOf, isReadOnly } from "../deno_errors.ts";
import { isGranted } from "../permission.ts";
import { freshPath } from "./fresh.ts";
import { lstat, removeIfThere } from "./lstat.ts";

/**
 * Writes a file so that a reader finds all of it or nothing. It is written under a fresh name that ends in `.new`,
 * which monitors ignore and at which there can be no planted link; then it is synced and renamed into place.
 *
 * A replaced file keeps its permission bits, because a config may contain secrets. A new file is writable by no other
 * user, whatever the umask, because a monitor would not trust it.
 *
 * @param directory The directory of the file.
 * @param name The name of the file.
 * @param text The content of the file.
 * @param keepsOwner Whether a file that replaces another must have the same owner and group.
 * @throws {Deno.errors.NotFound} If the directory does not exist. Whatever fails, nothing is left behind.
 */
export function postFile(directory: string, name: string, text: string, keepsOwner = false): void {
  const fresh = freshPath(directory);
  const path = join(directory, name);
  const before = replacedFile(path);
  const file = create(fresh, before?.mode ?? 0o644, directory);
  try {
    if (before !== null && keepsOwner) keepOwner(fresh, before);
    // The umask removed bits from the mode.
    if (before !== null) Deno.chmodSync(fresh, before.mode);
    writeAll(file, text);
    file.syncSync();
    Deno.renameSync(fresh, path);
  } catch (error) {
    removeIfThere(fresh);
    throw about(path, error);
  } finally {
    file.close();
  }
}

/**
 * Writes a file that every user may read, whatever the umask. A reader finds all of the old text, or all of the new one.
 * It is not synced: after a crash of the machine, it may be empty.
 *
 * @throws {Deno.errors.NotFound} If its directory does not exist. Whatever fails, nothing is left behind.
 */
export function shareFile(path: string, text: string): void {
  const fresh = freshPath(dirname(path));
  const file = create(fresh, 0o644, dirname(path));
  try {
    Deno.chmodSync(fresh, 0o644);
    writeAll(file, text);
    Deno.renameSync(fresh, path);
  } catch (error) {
    removeIfThere(fresh);
    throw about(path, error);
  } finally {
    file.close();
  }
}

function writeAll(file: Deno.FsFile, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
}

function create(path: string, mode: number, directory: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { write: true, createNew: true, mode });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw about(directory, error);
    throw new Deno.errors.NotFound(`Cannot write to directory ${JSON.stringify(directory)}: no such file or directory`);
  }
}

/** Names the file in an error: a fresh name means nothing to the user, and some errors name no file. */
function about(path: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotCapable || !(error instanceof Error)) return error;
  const hint = isReadOnly(error) ? ": change it where it comes from" : "";
  error.message = `Cannot write ${JSON.stringify(shownText(path))}: ${faultOf(error)}${hint}`;
  return error;
}

let sent = 0;

/**
 * Sends a message to the monitor. Its name is made of time, count and chance: it sorts after earlier messages, and is
 * unique.
 *
 * @param directory The messages directory.
 * @returns The name of the message.
 * @throws {Deno.errors.NotFound} If the directory does not exist.
 */
export function postMessage(directory: string, message: Message): string {
  const time = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  const count = `${sent++}`.padStart(6, "0");
  const name = `${time}-${count}-${crypto.randomUUID()}`;
  postFile(directory, name, formatMessage(message));
  return name;
}

/** What stays of a file that is replaced. */
interface Replaced {
  readonly mode: number;
  readonly uid: number | null;
  readonly gid: number | null;
}

/** Returns what is known of the file that will be replaced. Null if there is none, or it is a link. */
function replacedFile(path: string): Replaced | null {
  const info = lstat(path);
  return info?.isFile && info.mode !== null ? { mode: info.mode & 0o777, uid: info.uid, gid: info.gid } : null;
}

/** Gives a new file the owner of the one that it replaces. */
function keepOwner(path: string, { uid, gid }: Replaced): void {
  const own = lstat(path)!;
  if (own.uid !== uid || own.gid !== gid) Deno.chownSync(path, uid, gid);
}

/** Whether this program has the permission to read a directory. */
export function mayRead(path: string): boolean {
  return isGranted({ name: "read", path });
}

/** Whether this program, and its user, may list a directory. One that does not exist counts as one that they may. */
export function mayList(path: string): boolean {
  if (!mayRead(path)) return false;
  try {
    Deno.readDirSync(path).next();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.PermissionDenied);
  }
}

/** Returns the names in a directory. Null if there is no such directory. @throws {Error} If it cannot be read. */
export function namesIn(path: string): string[] | null {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Whether there is anything but a directory of this name in a directory. True also if this user may not see that. */
export function isFileIn(directory: string, name: string): boolean {
  try {
    return lstat(join(directory, name))?.isDirectory === false;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return true;
    throw error;
  }
}

/** Reads a file, or what a link leads to. Null if that is no regular file, or may not be read. @throws {Error} Else. */
export function readLinkedFile(directory: string, name: string, maxBytes: number): string | null {
  const path = join(directory, name);
  try {
    return Deno.statSync(path).isFile ? readTextFile(path, maxBytes) : null;
  } catch (error) {
    // It is too long, or no text, or a link leads nowhere.
    if (error instanceof RangeError || error instanceof Deno.errors.NotFound) return null;
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}

/**
 * Reads a file that is about to be changed.
 *
 * @throws {Error} If it is a link: it must be changed where it leads.
 * @throws {Deno.errors.NotFound} If it does not exist.
 */
export function readOwnFile(directory: string, name: string, maxBytes: number): string {
  const path = join(directory, name);
  const info = lstat(path);
  const shown = JSON.stringify(shownText(path));
  if (info === null) throw new Deno.errors.NotFound(`Cannot change ${shown}: no such file or directory`);
  if (!info.isFile) {
    throw new Error(`Cannot change ${shown}: ${info.isSymlink ? "is a link: change it where it leads" : "not a file"}`);
  }
  return readTextFile(path, maxBytes);
}

/** Removes a file. @throws {Deno.errors.NotFound} If the file does not exist. */
export function removeFile(directory: string, name: string): void {
  try {
    if (Deno.lstatSync(join(directory, name)).isDirectory) {
      throw new Error(`Cannot remove ${JSON.stringify(shownText(join(directory, name)))}: is a directory`);
    }
    Deno.removeSync(join(directory, name));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(
      `Cannot remove ${JSON.stringify(shownText(join(directory, name)))}: no such file or directory`,
    );
  }
}

/**
 * Reads a file that the user named on the command line, which may be a pipe.
 *
 * @param maxBytes The most bytes that are read.
 * @throws {RangeError} If the file is longer or is not UTF-8. The messages do not name the file.
 * @throws {Deno.errors.NotFound} If the file does not exist. Other errors if it cannot be read.
 */
export function readTextFile(path: string, maxBytes: number): string {
  try {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(maxBytes + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < bytes.length;) {
      read = file.readSync(bytes.subarray(length)) ?? 0;
      length += read;
    }
    if (length > maxBytes) throw new RangeError(`must be at most ${maxBytes} bytes`);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length));
  } catch (error) {
    if (error instanceof TypeError) throw new RangeError("not valid UTF-8");
    if (error instanceof Error && !(error instanceof RangeError)) error.message = faultOf(error);
    throw error;
  }
}
