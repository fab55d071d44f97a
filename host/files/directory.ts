import { type Entry, isIgnored, MAX_CONFIG_BYTES } from "@ncolony/core";
import { resolve } from "@std/path/posix/resolve";
import { faultOf } from "../deno_errors.ts";
import type { Directory, FileStamp, Identity, Reading, TrustOptions } from "../types.ts";
import { faultStamp, RACY_MS, stampOf } from "./file_stamp.ts";
import { idFrom, idOf } from "./lstat.ts";
import { type FileFacts, type OpenFile, openFile } from "./open.ts";
import { resolveTrusted, UntrustedError, whyUntrusted } from "./trust.ts";

/** How the files of a directory are read. */
export interface ReadOptions {
  readonly maxBytes: number;
  readonly followLinks: boolean;
  /** Whether a name that is not found was listed all the same. */
  readonly isUndecodable?: boolean;
  /** Who may change the directory and its files; absent: anybody. */
  readonly trust?: TrustOptions;
}

/**
 * Opens a config directory: symbolic links are followed, for ConfigMaps of Kubernetes are made of them.
 *
 * Whoever can write it runs commands as the monitor. So the directory, each file, and all that leads to them must belong to
 * root or the monitor's own user, and nobody else may write them, unless {@linkcode TrustOptions} say otherwise.
 */
export function configDirectory(path: string, trust: TrustOptions = {}): Directory {
  const options = { maxBytes: MAX_CONFIG_BYTES, followLinks: true };
  return openDirectory(path, trust.allowInsecure ? options : { ...options, trust });
}

/** Opens a directory. */
export function openDirectory(path: string, options: ReadOptions): Directory {
  const absolute = resolve(path);
  // Names of the last listing that may not be UTF-8: Deno lists those with replacement characters, and finds nothing under them.
  let doubtful = new Set<string>();
  const undecodable = { ...options, isUndecodable: true };
  const optionsFor = (name: string) => doubtful.has(name) ? undecodable : options;
  return {
    path: absolute,
    identity: () => identify(absolute, options.trust),
    stands: (id) => idOf(absolute) === id,
    names: () => {
      const found = names(absolute);
      if (!Array.isArray(found)) return found;
      doubtful = new Set(found.filter((name) => name.includes("\ufffd")));
      // Several of those may be listed as one.
      return doubtful.size > 0 ? [...new Set(found)] : found;
    },
    // join() would look at every letter, of thousands of names at every look.
    stamp: (name) => stampAt(`${absolute}/${name}`, optionsFor(name)),
    read: (name) => read(`${absolute}/${name}`, optionsFor(name)),
  };
}

/**
 * Which directory stands at a path now, or why it may not be used.
 *
 * @param trust Who may change it and the way there; absent: anybody.
 * @param isShared Whether others may write it, and only the way there is judged.
 */
export function identify(path: string, trust?: TrustOptions, isShared = false): Identity {
  try {
    const resolved = trust === undefined || trust.allowInsecure
      ? { path, info: Deno.statSync(path) }
      : resolveTrusted(path, trust);
    if (!resolved.info.isDirectory) return { fault: "is not a directory" };
    const fault = isShared || trust === undefined ? null : whyUntrusted(resolved.path, resolved.info, trust);
    return fault === null ? { id: idFrom(resolved.info) } : untrusted(fault, isShared);
  } catch (error) {
    return error instanceof UntrustedError ? untrusted(error.message, isShared) : { fault: faultOf(error) };
  }
}

function untrusted(fault: string, isShared: boolean): Identity {
  const wayOut = isShared ? "or --allow-insecure" : "--allow-insecure, or --trust-read-only-mount";
  return { fault: `${fault}: chmod, chown, ${wayOut}`, isUntrusted: true };
}

function names(path: string): string[] | { fault: string } {
  try {
    const names: string[] = [];
    for (const { name, isDirectory } of Deno.readDirSync(path)) if (!isDirectory && !isIgnored(name)) names.push(name);
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

function stampAt(path: string, options: ReadOptions): FileStamp | null {
  const found = inspect(path, options);
  return found === null ? null : "fault" in found ? faultStamp(found.fault) : stampOf(found);
}

function read(path: string, options: ReadOptions): Reading | null {
  const found = inspect(path, options);
  if (found === null) return null;
  if ("fault" in found) {
    const { fault, isTransient } = found;
    return { stamp: faultStamp(fault), entry: { fault }, isTransient };
  }
  const wrong = (fault: string): Reading => ({ stamp: stampOf(found), entry: { fault } });
  // Opening a device can have effects, so only a regular file is opened.
  if (found.isSymlink) return wrong("is a symbolic link");
  if (!found.isFile) return wrong("is not a regular file");
  try {
    return readJudged(path, options);
  } catch (error) {
    if (isNotFound(error)) return null;
    const fault = error instanceof UntrustedError ? error.message : faultOf(error);
    // The link, or what it leads through, may be mended without a change of the file.
    return { ...wrong(fault), isTransient: true };
  }
}

/** Reads a regular file, by a way that only root and this user can change if `trust` asks for that. */
function readJudged(path: string, { followLinks, maxBytes, trust }: ReadOptions): Reading {
  const isLinked = followLinks && isLink(path);
  // The way to the directory has been judged.
  const target = !isLinked
    ? { path, isAmongOthers: false }
    : trust === undefined
    ? { path: Deno.realPathSync(path), isAmongOthers: false }
    : resolveTrusted(path, trust);
  using file = openFile(target.path);
  const { facts } = file;
  const stamp = stampOf(facts);
  const fault = trust === undefined ? null : whyUnfit(target, facts, trust);
  if (fault !== null) return { stamp, entry: { fault } };
  const { bytes, entry } = readText(file, facts.size, maxBytes);
  // Some file systems say of every file that it is empty.
  const isGrowing = bytes !== facts.size && Date.now() < stamp.changedMs + RACY_MS;
  return isGrowing ? { stamp, entry: { fault: "is just being written" }, isTransient: true } : { stamp, entry };
}

function whyUnfit(
  { path, isAmongOthers }: { readonly path: string; readonly isAmongOthers: boolean },
  facts: FileFacts,
  trust: TrustOptions,
): string | null {
  // Somebody may have given a file of root's another name there.
  if (isAmongOthers && facts.nlink !== 1) return "has several names, in a directory that others may write";
  return whyUntrusted(path, facts, trust);
}

/** Every file is read into this: nothing is read while another file is, and fresh memory for each would pile up. */
let buffer = new Uint8Array(0);

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a file of a size; gives how many bytes there were, of one that is too large not all. */
function readText(file: OpenFile, size: number, maxBytes: number): { bytes: number; entry: Entry } {
  const tooLarge = { bytes: size, entry: { fault: `must be at most ${maxBytes} bytes` } };
  if (size > maxBytes) return tooLarge;
  // One byte more than it may hold, to notice one that grows.
  if (buffer.length <= maxBytes) buffer = new Uint8Array(maxBytes + 1);
  let length = 0;
  for (;;) {
    const bytes = file.read(buffer, length, maxBytes + 1 - length);
    length += bytes;
    if (length > maxBytes) return tooLarge;
    if (bytes === 0 || size > 0 && length >= size) break;
  }
  try {
    return { bytes: length, entry: { source: decoder.decode(buffer.subarray(0, length)) } };
  } catch {
    return { bytes: length, entry: { fault: "is not UTF-8" } };
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

function isNotFound(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Error && "code" in error && error.code === "ENOENT";
}
