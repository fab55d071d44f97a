import { formatMessage, type Message, shownText } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import { freshPath } from "./fresh.ts";
import { removeIfThere } from "./lstat.ts";

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
 * @throws {Deno.errors.NotFound} If the directory does not exist. Whatever fails, nothing is left behind.
 */
export function postFile(directory: string, name: string, text: string): void {
  const fresh = freshPath(directory);
  const path = join(directory, name);
  const mode = modeOf(path);
  const file = create(fresh, mode ?? 0o644, directory);
  try {
    // The umask removed bits from the mode.
    if (mode !== null) Deno.chmodSync(fresh, mode);
    const bytes = new TextEncoder().encode(text);
    for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
    file.syncSync();
    Deno.renameSync(fresh, path);
  } catch (error) {
    removeIfThere(fresh);
    throw about(path, error);
  } finally {
    file.close();
  }
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
  error.message = `Cannot write ${JSON.stringify(shownText(path))}: ${faultOf(error)}`;
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

function modeOf(path: string): number | null {
  try {
    const info = Deno.lstatSync(path);
    return info.isFile && info.mode !== null ? info.mode & 0o777 : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
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
