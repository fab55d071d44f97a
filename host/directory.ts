import { isIgnored, MAX_CONFIG_BYTES } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { resolve } from "@std/path/posix/resolve";
import { faultOf } from "./fault.ts";
import { Fifos } from "./fifos.ts";
import { type OpenFile, openFile, type OpenOptions } from "./safe_file.ts";
import { faultSight, sightOf } from "./sight.ts";
import { distrust } from "./trust.ts";
import type { Directory, Reading, Sight } from "./types.ts";

/** How the files of a directory are read. */
export interface ReadOptions extends OpenOptions {
  readonly maxBytes: number;
  /** Whether a name that is not found was listed all the same. */
  readonly isUndecodable?: boolean;
  /** Says why something may not be trusted. */
  readonly distrust?: typeof distrust;
}

/**
 * Opens a config directory: symbolic links are followed, for ConfigMaps of Kubernetes are made of them.
 *
 * Whoever can write it runs commands as the monitor, so the directory and each file must belong to root or the monitor's
 * own user, and nobody else may write them, unless `allowInsecure`.
 */
export function configDirectory(path: string, allowInsecure = false): Directory {
  const options = { maxBytes: MAX_CONFIG_BYTES, followLinks: true };
  return openDirectory(path, allowInsecure ? options : { ...options, distrust });
}

/** Opens a directory. */
export function openDirectory(path: string, options: ReadOptions): Directory {
  const absolute = resolve(path);
  // Names of the last listing that may not be UTF-8: Deno lists those with replacement characters, and finds nothing under them.
  let doubtful = new Set<string>();
  const fifos = new Fifos();
  const undecodable = { ...options, isUndecodable: true };
  const optionsFor = (name: string) => doubtful.has(name) ? undecodable : options;
  return {
    path: absolute,
    identity: () => identity(absolute, options),
    names: () => {
      const found = names(absolute, fifos);
      if (!Array.isArray(found)) return found;
      doubtful = new Set(found.filter((name) => name.includes("\ufffd")));
      // Several of those may be listed as one.
      return doubtful.size > 0 ? [...new Set(found)] : found;
    },
    // join() would look at every letter, of thousands of names at every look.
    look: (name) => look(`${absolute}/${name}`, optionsFor(name)),
    read: (name) => read(`${absolute}/${name}`, optionsFor(name)),
  };
}

function identity(path: string, options: ReadOptions): { id: string } | { fault: string } {
  try {
    const info = Deno.statSync(path);
    if (!info.isDirectory) return { fault: "is not a directory" };
    const fault = options.distrust?.(path, info);
    return fault ? { fault: `${fault}: chmod, chown, or --allow-insecure` } : { id: `${info.dev}:${info.ino}` };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

function names(path: string, fifos: Fifos): string[] | { fault: string } {
  try {
    const names: string[] = [];
    const special: string[] = [];
    for (const { name, isDirectory, isFile } of Deno.readDirSync(path)) {
      if (isDirectory) continue;
      if (!isFile) special.push(join(path, name));
      if (!isIgnored(name)) names.push(name);
    }
    fifos.holdThese(new Set(special.filter(isFifo)));
    return names;
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

/** Why something that is there cannot be seen, and whether that may pass by itself. */
interface Unseen {
  readonly fault: string;
  readonly isTransient: boolean;
}

/** Finds out what a name leads to; null where that is nothing, or a directory. */
function inspect(path: string, { followLinks, isUndecodable = false }: ReadOptions): Deno.FileInfo | Unseen | null {
  try {
    const info = followLinks ? Deno.statSync(path) : Deno.lstatSync(path);
    return info.isDirectory ? null : info;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return { fault: faultOf(error), isTransient: true };
    // Deno lists a name that is not UTF-8 with replacement characters.
    if (isUndecodable) return { fault: "has a name that is not UTF-8", isTransient: false };
    return followLinks && isLink(path) ? { fault: "is a symbolic link to nothing", isTransient: false } : null;
  }
}

function look(path: string, options: ReadOptions): Sight | null {
  const found = inspect(path, options);
  return found === null ? null : "fault" in found ? faultSight(found.fault) : sightOf(found);
}

async function read(path: string, options: ReadOptions): Promise<Reading | null> {
  const found = inspect(path, options);
  if (found === null) return null;
  if ("fault" in found) {
    const { fault, isTransient } = found;
    return { sight: faultSight(fault), entry: { fault }, isTransient };
  }
  const wrong = (fault: string): Reading => ({ sight: sightOf(found), entry: { fault } });
  const failed = (error: unknown): Reading => ({ ...wrong(faultOf(error)), isTransient: true });
  // Opening a device can do things to it, so what is no regular file is not opened at all.
  if (found.isSymlink) return wrong("is a symbolic link");
  if (!found.isFile) return wrong("is not a regular file");
  let file: OpenFile;
  try {
    file = await openFile(path, options);
  } catch (error) {
    // It may have gone between look and open.
    return error instanceof Error && isNotFound(error) ? null : failed(error);
  }
  try {
    const info = file.facts();
    if (info === null) return wrong("is not a regular file");
    const fault = options.distrust?.(path, info);
    if (fault) return wrong(fault);
    return { sight: sightOf(info), entry: readText(file, info.size, options.maxBytes) };
  } catch (error) {
    return failed(error);
  } finally {
    file.close();
  }
}

/** Every file is read into this: nothing is read while another file is, and fresh memory for each would pile up. */
let buffer = new Uint8Array(0);

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function readText(file: OpenFile, size: number, maxBytes: number): { source: string } | { fault: string } {
  const tooLarge = { fault: `must be at most ${maxBytes} bytes` };
  if (size > maxBytes) return tooLarge;
  // One byte more than it may hold, to notice one that grows.
  if (buffer.length <= maxBytes) buffer = new Uint8Array(maxBytes + 1);
  let length = 0;
  for (;;) {
    const bytes = file.read(buffer, length, maxBytes + 1 - length);
    length += bytes;
    if (length > maxBytes) return tooLarge;
    // Some file systems say of every file that it is empty.
    if (bytes === 0 || size > 0 && length >= size) break;
  }
  try {
    return { source: decoder.decode(buffer.subarray(0, length)) };
  } catch {
    return { fault: "is not UTF-8" };
  }
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
