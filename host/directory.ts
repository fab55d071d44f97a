import { isIgnored, MAX_CONFIG_BYTES, MAX_MESSAGE_BYTES } from "@ncolony/core";
import { join, resolve } from "@std/path";
// The only use of a node: module: Deno's own open() has no O_NONBLOCK, and 32 opens of FIFOs would hang all file I/O.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { Fifos } from "./fifos.ts";
import type { Directory, Mailbox, Reading, Sight } from "./types.ts";

/** How many messages that were wrong are kept. */
const MAX_REJECTED = 100;

interface ReadOptions {
  readonly maxBytes: number;
  readonly followLinks: boolean;
  /** Whether a name that is not found was listed all the same. */
  readonly isUndecodable?: boolean;
}

/** Opens a config directory: symbolic links are followed, for ConfigMaps of Kubernetes are made of them. */
export function configDirectory(path: string): Directory {
  return openDirectory(path, { maxBytes: MAX_CONFIG_BYTES, followLinks: true });
}

/** Opens a messages directory, which others may write: no link in it is followed. */
export function messageDirectory(path: string): Mailbox {
  const directory = openDirectory(path, { maxBytes: MAX_MESSAGE_BYTES, followLinks: false });
  return {
    ...directory,
    remove: (name) => attempt(() => Deno.removeSync(join(directory.path, name))),
    reject: (name) => attempt(() => putAway(directory.path, name)),
  };
}

function openDirectory(path: string, options: ReadOptions): Directory {
  const absolute = resolve(path);
  // Names of the last listing that may not be UTF-8: Deno lists those with replacement characters, and finds nothing under them.
  let doubtful = new Set<string>();
  const fifos = new Fifos();
  const optionsFor = (name: string) => ({ ...options, isUndecodable: doubtful.has(name) });
  return {
    path: absolute,
    identity: () => identity(absolute),
    names: () => {
      const found = names(absolute, fifos);
      if (Array.isArray(found)) doubtful = new Set(found.filter((name) => name.includes("\ufffd")));
      return found;
    },
    look: (name) => look(join(absolute, name), optionsFor(name)),
    read: (name) => read(join(absolute, name), optionsFor(name)),
  };
}

function identity(path: string): { id: string } | { fault: string } {
  try {
    const info = Deno.statSync(path);
    return info.isDirectory ? { id: `${info.dev}:${info.ino}` } : { fault: "is not a directory" };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

function names(path: string, fifos: Fifos): string[] | { fault: string } {
  try {
    const entries = [...Deno.readDirSync(path)].filter(({ isDirectory }) => !isDirectory);
    const special = entries.filter(({ isFile }) => !isFile).map(({ name }) => join(path, name));
    fifos.holdThese(new Set(special.filter(isFifo)));
    return entries.map(({ name }) => name).filter((name) => !isIgnored(name));
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

function look(path: string, { followLinks, isUndecodable = false }: ReadOptions): Sight | null {
  try {
    const info = followLinks ? Deno.statSync(path) : Deno.lstatSync(path);
    return info.isDirectory ? null : sightOf(info.ino, info.size, info.mtime, info.ctime);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return { key: faultOf(error), mtimeMs: 0 };
    // A link to nothing is there; so is a name that is not UTF-8, which Deno lists with replacement characters.
    return isLink(path) || isUndecodable ? { key: "nothing behind it", mtimeMs: 0 } : null;
  }
}

function read(path: string, options: ReadOptions): Reading | null {
  const sight = look(path, options);
  if (sight === null) return null;
  const wrong = (fault: string): Reading => ({ sight, entry: { fault } });
  let fd: number;
  try {
    // Opening a device can do things to it, so what is no regular file is not opened at all.
    const info = options.followLinks ? Deno.statSync(path) : Deno.lstatSync(path);
    if (info.isSymlink) return wrong("is a symbolic link");
    if (!info.isFile) return wrong("is not a regular file");
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | (options.followLinks ? 0 : constants.O_NOFOLLOW));
  } catch (error) {
    if (!(error instanceof Error && isNotFound(error))) return wrong(faultOf(error));
    if (options.isUndecodable) return wrong("has a name that is not UTF-8");
    // Gone between look and open, unless it is a link that leads nowhere.
    return isLink(path) ? wrong("is a symbolic link to nothing") : null;
  }
  try {
    const info = fstatSync(fd);
    if (!info.isFile()) return wrong("is not a regular file");
    const opened = sightOf(info.ino, info.size, info.mtime, info.ctime);
    return { sight: opened, entry: readText(fd, info.size, options.maxBytes) };
  } catch (error) {
    return wrong(faultOf(error));
  } finally {
    closeSync(fd);
  }
}

function readText(fd: number, size: number, maxBytes: number): { source: string } | { fault: string } {
  const tooLarge = { fault: `must be at most ${maxBytes} bytes` };
  if (size > maxBytes) return tooLarge;
  // One byte more than it should hold, to notice one that grows.
  let buffer = new Uint8Array(size + 1);
  let length = 0;
  for (;;) {
    const bytes = readSync(fd, buffer, length, buffer.length - length, null);
    length += bytes;
    if (bytes === 0) break;
    if (length > maxBytes) return tooLarge;
    if (length < buffer.length) continue;
    const larger = new Uint8Array(Math.min(2 * buffer.length, maxBytes + 1));
    larger.set(buffer);
    buffer = larger;
  }
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { source: decoder.decode(buffer.subarray(0, length)) };
  } catch {
    return { fault: "is not UTF-8" };
  }
}

function sightOf(ino: number | null, size: number, mtime: Date | null, ctime: Date | null): Sight {
  const key = `${ino} ${size} ${mtime?.getTime() ?? 0} ${ctime?.getTime() ?? 0}`;
  // Nobody can set ctime, so it is the time of the last change also where mtime was set back; not every system has it.
  return { key, mtimeMs: (ctime ?? mtime)?.getTime() ?? 0 };
}

function isFifo(path: string): boolean {
  try {
    return Deno.statSync(path).isFifo ?? false;
  } catch {
    // Not there, or not to be seen.
    return false;
  }
}

function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch {
    // Not there, or not to be seen: no link that is known of.
    return false;
  }
}

function isNotFound(error: Error): boolean {
  return error instanceof Deno.errors.NotFound || "code" in error && error.code === "ENOENT";
}

/** Moves a message into `.rejected`, if that is a directory that nobody else can put another thing in the place of. */
function putAway(path: string, name: string): void {
  const rejected = join(path, ".rejected");
  if (!isSafe(path) || !makeOwn(rejected)) return Deno.removeSync(join(path, name));
  Deno.renameSync(join(path, name), join(rejected, name));
  // Times of changes are whole seconds, so the one that just came is kept apart.
  const others = [...Deno.readDirSync(rejected)].filter((entry) => entry.name !== name && !entry.isDirectory).map(
    (entry) => {
      const file = join(rejected, entry.name);
      const { ctime, mtime } = Deno.lstatSync(file);
      return { file, ctimeMs: ctime?.getTime() ?? 0, mtimeMs: mtime?.getTime() ?? 0 };
    },
  );
  others.sort((a, b) => b.ctimeMs - a.ctimeMs || b.mtimeMs - a.mtimeMs);
  for (const { file } of others.slice(MAX_REJECTED - 1)) Deno.removeSync(file);
}

/** Whether only root, we ourselves, and (where it is sticky) the owners of entries may rename what is in a directory. */
function isSafe(path: string): boolean {
  const { uid, mode } = Deno.statSync(path);
  const isOthers = uid !== 0 && uid !== Deno.uid();
  const isShared = ((mode ?? 0) & 0o022) !== 0 && ((mode ?? 0) & 0o1000) === 0;
  return !isOthers && !isShared;
}

function makeOwn(path: string): boolean {
  try {
    Deno.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const { isDirectory, uid } = Deno.lstatSync(path);
  return isDirectory && uid === Deno.uid();
}

function attempt(action: () => void): string | null {
  try {
    action();
  } catch (error) {
    // Gone is what was wanted.
    if (!(error instanceof Deno.errors.NotFound)) return faultOf(error);
  }
  return null;
}

/** Names an error of the file system in a few words, without the path. */
export function faultOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "is not there";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.FilesystemLoop) return "is a symbolic link that leads back to itself";
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "ELOOP") return "is a symbolic link";
  return code || error.message.replace(/: [a-z]+ '.*'$/s, "");
}
