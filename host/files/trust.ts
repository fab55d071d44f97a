import { shownText } from "@ncolony/core";
import { dirname } from "@std/path/posix/dirname";
import type { TrustOptions } from "../types.ts";
import { freshPath, probe } from "./fresh.ts";
import { readMounts } from "./mounts.ts";

/** The part of a file's information that says who may change it. */
export interface Ownership {
  /** The owner's user id. */
  readonly uid: number | null;
  /** The type and permission bits. */
  readonly mode: number | null;
}

/** What a path leads to. */
export interface Resolved {
  /** The path without links. */
  readonly path: string;
  /** What stands there. */
  readonly info: Deno.FileInfo;
  /** Whether others may add names to the directory that holds it, which is sticky then. */
  readonly isAmongOthers: boolean;
}

/** Others could change what a path leads to. The message goes on from "it". */
export class UntrustedError extends Error {
  /** Tells the errors apart where a class cannot. */
  override readonly name = "UntrustedError";
}

/** As many links as Linux follows. */
const MAX_LINKS = 40;

const OTHERS_MAY_WRITE = 0o022;
const STICKY = 0o1000;

/** Whether an owner is neither root nor this program's own user. */
export function isOthers(uid: number | null): boolean {
  return uid !== 0 && uid !== Deno.uid();
}

/** Whether only root and this program's own user may write a file or a directory. */
export function isOnlyOurs({ uid, mode }: Ownership): boolean {
  return !isOthers(uid) && ((mode ?? 0) & OTHERS_MAY_WRITE) === 0;
}

/**
 * Says why somebody other than root and this program's own user could change a file or a directory; null where nobody could,
 * or where that is trusted all the same.
 *
 * @param path Where it is, without links, for the mount.
 */
export function whyUntrusted(path: string, { uid, mode }: Ownership, options: TrustOptions): string | null {
  if (options.allowInsecure || isOnlyOurs({ uid, mode })) return null;
  if (options.trustReadOnlyMount && isOnReadOnlyMount(path)) return null;
  if (isOthers(uid)) return `belongs to uid ${uid}, which is neither root nor the monitor's (${Deno.uid()})`;
  return `may be written by others (mode ${((mode ?? 0) & 0o7777).toString(8).padStart(4, "0")})`;
}

/**
 * Finds what a path leads to, by a way that only root and this program's own user can change: every directory on it, up to
 * `/`, and every link is theirs, and others may write no directory of it that is not sticky (sshd's StrictModes asks for
 * the same). What stands at the end is not judged, but nobody else can put another thing in its place.
 *
 * So whoever opens the path that this gives opens what was found, however much later.
 *
 * @param path An absolute path.
 * @throws {UntrustedError} Where others could change the way.
 * @throws {Deno.errors.NotFound} Where nothing is there.
 */
export function resolveTrusted(path: string, options: TrustOptions): Resolved {
  const rest = namesOn(path);
  let at = "/";
  let info = see(at);
  let links = 0;
  let isAmongOthers = false;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    isAmongOthers = judgeDirectory(at, info, options);
    // join() would look at every letter, of hundreds of paths at the start.
    const next = name === ".." ? dirname(at) : `${at === "/" ? "" : at}/${name}`;
    const found = see(next);
    if (found !== null && isAmongOthers && name !== ".." && isOthers(found.uid)) {
      throw new UntrustedError(`can be replaced by uid ${found.uid}, who owns ${JSON.stringify(shownText(next))}`);
    }
    if (!found?.isSymlink) {
      at = next;
      info = found;
    } else {
      if (++links > MAX_LINKS) throw new Deno.errors.FilesystemLoop(`too many links: lstat '${path}'`);
      // The mode of a link means nothing.
      judge(next, { uid: found.uid, mode: 0 }, "leads through the link", options);
      const target = Deno.readLinkSync(next);
      rest.unshift(...namesOn(target));
      if (target.startsWith("/")) {
        at = "/";
        info = see(at);
      }
    }
  }
  return { path: at, info: info ?? Deno.lstatSync(at), isAmongOthers };
}

/** The names that a path goes through. */
function namesOn(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** Judges a directory on the way; true where others may add names to it, but change nothing that is not theirs. */
function judgeDirectory(path: string, info: Deno.FileInfo | null, options: TrustOptions): boolean {
  if (info === null) return false;
  const mode = info.mode ?? 0;
  const isSticky = (mode & STICKY) !== 0;
  judge(path, { uid: info.uid, mode: isSticky ? 0 : mode }, "lies in", options);
  return isSticky && whyUntrusted(path, info, options) !== null;
}

function judge(path: string, ownership: Ownership, how: string, options: TrustOptions): void {
  const fault = whyUntrusted(path, ownership, options);
  if (fault !== null) throw new UntrustedError(`${how} ${JSON.stringify(shownText(path))}, which ${fault}`);
}

/** What stands at a path; null where `--allow-read` has a scope and it is outside: then that is not known. */
function see(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}

/** Whether a path is on a read-only mount, as far as this program may find out. */
function isOnReadOnlyMount(path: string): boolean {
  try {
    const mounts = readMounts().filter(({ point }) => point === "/" || `${path}/`.startsWith(`${point}/`));
    // Of two mounts on one point the later one covers the earlier.
    return mounts.reduce((a, b) => b.point.length >= a.point.length ? b : a).isReadOnly;
  } catch {
    // /proc may not be read, for which Deno wants --allow-all: try to write.
    return refusesWrites(Deno.statSync(path).isDirectory ? path : dirname(path));
  }
}

function refusesWrites(path: string): boolean {
  try {
    probe(freshPath(path));
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EROFS";
  }
}
