import { formatMessage, type Message, shownText } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import { freshPath } from "./fresh.ts";
import { removeIfThere } from "./lstat.ts";

/**
 * Writes a file so that a reader finds all of it or nothing: under a fresh name ending in `.new`, which monitors ignore
 * and no planted link can stand under; then syncs it and renames it into place.
 *
 * A file that is replaced keeps its permission bits: a config may hold secrets. A new one may be written by nobody else,
 * whatever the umask: a monitor would not trust it.
 *
 * @param directory Where it goes.
 * @param name Its name.
 * @param text What it says.
 * @throws {Deno.errors.NotFound} Where there is no such directory. Nothing is left behind when anything fails.
 */
export function postFile(directory: string, name: string, text: string): void {
  const fresh = freshPath(directory);
  const path = join(directory, name);
  const mode = modeOf(path);
  const file = create(fresh, mode ?? 0o644, directory);
  try {
    // The umask took its part of the mode.
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
    throw new Deno.errors.NotFound(`Cannot write to directory ${JSON.stringify(directory)}: it is not there`);
  }
}

/** Names what an error is about: a fresh name says nothing, and some errors say none. */
function about(path: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotCapable || !(error instanceof Error)) return error;
  error.message = `Cannot write ${JSON.stringify(shownText(path))}: ${faultOf(error)}`;
  return error;
}

let sent = 0;

/**
 * Sends a message to the monitor. Its name sorts after those that were sent before, and meets no other: it is made of time,
 * count and chance.
 *
 * @param directory The messages directory.
 * @returns The name of the message.
 * @throws {Deno.errors.NotFound} Where there is no such directory.
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

/**
 * Removes a file.
 *
 * @throws {Deno.errors.NotFound} Where there is none.
 */
export function removeFile(directory: string, name: string): void {
  try {
    if (Deno.lstatSync(join(directory, name)).isDirectory) {
      throw new Error(`Cannot remove ${JSON.stringify(shownText(join(directory, name)))}: it is a directory`);
    }
    Deno.removeSync(join(directory, name));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`There is no ${JSON.stringify(name)} in directory ${JSON.stringify(directory)}`);
  }
}

/**
 * Reads a file that a person named on the command line, which may be a pipe.
 *
 * @param maxBytes More than that is not read.
 * @throws {RangeError} Where it is longer, or no text. No message names the file.
 * @throws {Deno.errors.NotFound} Where there is none; other errors where it cannot be read.
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
    if (error instanceof TypeError) throw new RangeError("is not UTF-8");
    if (error instanceof Error && !(error instanceof RangeError)) error.message = faultOf(error);
    throw error;
  }
}
