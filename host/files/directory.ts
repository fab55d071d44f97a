import { type Entry, isIgnored, MAX_CONFIG_BYTES } from "@ncolony/core";
import { resolve } from "@std/path/posix/resolve";
import { faultOf, isNotFound } from "../deno_errors.ts";
import type { Directory, FileStamp, Identity, Reading, TrustOptions } from "../types.ts";
import { faultStamp, RACY_MS, stampOf } from "./file_stamp.ts";
import { idFrom, idOf } from "./lstat.ts";
import { type FileFacts, type OpenFile, openFile } from "./open.ts";
import { resolveTrusted, UntrustedError, whyUntrusted } from "./trust.ts";

/** How the files of a directory are read. */
export interface ReadOptions {
  readonly maxBytes: number;
  readonly followLinks: boolean;
  /** Whether the name was listed although no file is found under it. */
  readonly isUndecodable?: boolean;
  /** What is trusted. If absent, anyone may change the directory and its files. */
  readonly trust?: TrustOptions;
}

/**
 * Opens a config directory. Symbolic links are followed, because a Kubernetes ConfigMap consists of them.
 *
 * Anyone who can write a config runs commands as the monitor. So the directory, each file, and everything on the path
 * to them must belong to root or the current user, and no other user may write to them, unless {@linkcode TrustOptions}
 * allow it.
 */
export function configDirectory(path: string, trust: TrustOptions = {}): Directory {
  const options = { maxBytes: MAX_CONFIG_BYTES, followLinks: true };
  return openDirectory(path, trust.allowInsecure ? options : { ...options, trust });
}

/** Opens a directory. */
export function openDirectory(path: string, options: ReadOptions): Directory {
  const absolute = resolve(path);
  // Names in the last listing that may not be UTF-8. Deno lists them with replacement characters, and finds no file
  // under such a name.
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
      // Several of them may be listed under the same name.
      return doubtful.size > 0 ? [...new Set(found)] : found;
    },
    // join() would check each character, for thousands of names in each scan.
    stamp: (name) => stampAt(`${absolute}/${name}`, optionsFor(name)),
    read: (name) => read(`${absolute}/${name}`, optionsFor(name)),
  };
}

/**
 * Returns which directory is at a path now, or why it may not be used.
 *
 * @param trust What is trusted. If absent, anyone may change the directory and the path to it.
 * @param isShared Whether other users may write to the directory, so that only the path to it is checked.
 */
export function identify(path: string, trust?: TrustOptions, isShared = false): Identity {
  try {
    const resolved = trust === undefined || trust.allowInsecure
      ? { path, info: Deno.statSync(path) }
      : resolveTrusted(path, trust);
    if (!resolved.info.isDirectory) return { fault: "not a directory" };
    const fault = isShared || trust === undefined ? null : whyUntrusted(resolved.path, resolved.info, trust);
    return fault === null ? { id: idFrom(resolved.info) } : untrusted(fault, isShared);
  } catch (error) {
    return error instanceof UntrustedError ? untrusted(error.message, isShared) : { fault: faultOf(error) };
  }
}

function untrusted(fault: string, isShared: boolean): Identity {
  const wayOut = isShared ? "--allow-insecure" : "--allow-insecure or --trust-read-only-mount";
  return { fault: `${fault}; fix it with chmod or chown, or use ${wayOut}`, isUntrusted: true };
}

/** Returns whether a path leads to a directory. @throws {Error} If it leads to nothing. */
export function isDirectory(path: string): boolean {
  return Deno.statSync(path).isDirectory;
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

/** Why an existing file cannot be seen, and whether that may pass by itself. */
interface Unseen {
  readonly fault: string;
  readonly isTransient: boolean;
}

/** Returns the file that a name leads to. Null if there is none, or if it is a directory. */
function inspect(path: string, { followLinks, isUndecodable = false }: ReadOptions): Deno.FileInfo | Unseen | null {
  try {
    const info = followLinks ? Deno.statSync(path) : Deno.lstatSync(path);
    return info.isDirectory ? null : info;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return { fault: faultOf(error), isTransient: true };
    // Deno lists a name that is not UTF-8 with replacement characters.
    if (isUndecodable) return { fault: "the file name is not valid UTF-8", isTransient: false };
    return followLinks && isLink(path) ? { fault: "dangling symbolic link", isTransient: false } : null;
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
  const faulty = (fault: string): Reading => ({ stamp: stampOf(found), entry: { fault } });
  // Opening a device can have effects, so only a regular file is opened.
  if (found.isSymlink) return faulty("is a symbolic link");
  if (!found.isFile) return faulty("not a regular file");
  try {
    return readTrusted(path, options);
  } catch (error) {
    if (isNotFound(error)) return null;
    const fault = error instanceof UntrustedError ? error.message : faultOf(error);
    // The link, or what it leads through, may be fixed without a change to the file.
    return { ...faulty(fault), isTransient: true };
  }
}

/** Reads a regular file. With `trust`, its path must be one that only root and the current user can change. */
function readTrusted(path: string, { followLinks, maxBytes, trust }: ReadOptions): Reading {
  const isLinked = followLinks && isLink(path);
  // The path to the directory has already been checked.
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
  // Some file systems report every file as empty.
  const isGrowing = bytes !== facts.size && Date.now() < stamp.changedMs + RACY_MS;
  return isGrowing
    ? { stamp, entry: { fault: "the file is still being written" }, isTransient: true }
    : { stamp, entry };
}

function whyUnfit(
  { path, isAmongOthers }: { readonly path: string; readonly isAmongOthers: boolean },
  facts: FileFacts,
  trust: TrustOptions,
): string | null {
  // Another user may have hard-linked a file of root's there.
  if (isAmongOthers && facts.nlink !== 1) return "has several hard links, in a directory that other users can write to";
  return whyUntrusted(path, facts, trust);
}

/** The buffer for every file. Only one file is read at a time, and new memory for each would pile up. */
let buffer = new Uint8Array(0);

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a file of a known size. Returns how many bytes it has; if it is too large, `bytes` may be too low. */
function readText(file: OpenFile, size: number, maxBytes: number): { bytes: number; entry: Entry } {
  const tooLarge = { bytes: size, entry: { fault: `must be at most ${maxBytes} bytes` } };
  if (size > maxBytes) return tooLarge;
  // One byte more than the limit, to notice a file that grows.
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
    const [first, second] = buffer;
    const isUtf16 = length > 1 && Math.min(first!, second!) === 0xfe && Math.max(first!, second!) === 0xff;
    return { bytes: length, entry: { fault: isUtf16 ? "must be UTF-8: it is UTF-16" : "not valid UTF-8" } };
  }
}

function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch {
    // It is missing or cannot be seen, so it is not known to be a link.
    return false;
  }
}
