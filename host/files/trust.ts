import { shownText } from "@ncolony/core";
import { dirname } from "@std/path/posix/dirname";
import type { TrustOptions } from "../types.ts";
import { freshPath, probe } from "./fresh.ts";
import { readMounts } from "./mounts.ts";

/** The properties of a file that determine who may change it. */
export interface Ownership {
  /** The user id of the owner. */
  readonly uid: number | null;
  /** The type and permission bits. */
  readonly mode: number | null;
}

/** What a path leads to. */
export interface Resolved {
  /** The path without links. */
  readonly path: string;
  /** The file or directory at that path. */
  readonly info: Deno.FileInfo;
  /** Whether it is in a sticky directory to which other users may add names. */
  readonly isAmongOthers: boolean;
}

/** Other users could change what a path leads to. The message follows the path. */
export class UntrustedError extends Error {
  /** Identifies the error where its class cannot. */
  override readonly name = "UntrustedError";
}

/** The most links that are followed, as in Linux. */
const MAX_LINKS = 40;

const OTHERS_MAY_WRITE = 0o022;
const STICKY = 0o1000;

/** Whether an owner is neither root nor the current user. */
export function isOthers(uid: number | null): boolean {
  return uid !== 0 && uid !== Deno.uid();
}

/** Whether only root and the current user may write to a file or directory. */
export function isOnlyOurs({ uid, mode }: Ownership): boolean {
  return !isOthers(uid) && ((mode ?? 0) & OTHERS_MAY_WRITE) === 0;
}

/**
 * Returns why a user other than root and the current user could change a file or directory. Null if none could, or if
 * that is trusted.
 *
 * @param path Its path without links, to find its mount.
 */
export function whyUntrusted(path: string, { uid, mode }: Ownership, options: TrustOptions): string | null {
  if (options.allowInsecure || isOnlyOurs({ uid, mode })) return null;
  if (options.trustReadOnlyMount && isOnReadOnlyMount(path)) return null;
  if (isOthers(uid)) return `owned by uid ${uid}, which is neither root nor the monitor's (${Deno.uid()})`;
  return `writable by other users (mode ${((mode ?? 0) & 0o7777).toString(8).padStart(4, "0")})`;
}

/**
 * Resolves a path that only root and the current user can redirect. They own every directory on the path, up to `/`,
 * and every link; and other users may write to none of these directories, except sticky ones (sshd's StrictModes is
 * similar). The file or directory at the end is not checked, but no other user can replace it.
 *
 * So opening the returned path opens what was found, however much later.
 *
 * @param path An absolute path.
 * @throws {UntrustedError} If other users could redirect the path.
 * @throws {Deno.errors.NotFound} If nothing is there.
 */
export function resolveTrusted(path: string, options: TrustOptions): Resolved {
  const rest = namesOn(path);
  let at = "/";
  let info = lstatIfAllowed(at);
  let links = 0;
  let isAmongOthers = false;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    isAmongOthers = checkDirectory(at, info, options);
    // join() would check each character, of hundreds of paths at startup.
    const next = name === ".." ? dirname(at) : `${at === "/" ? "" : at}/${name}`;
    const found = lstatIfAllowed(next);
    if (found !== null && isAmongOthers && name !== ".." && isOthers(found.uid)) {
      throw new UntrustedError(`uid ${found.uid} owns ${JSON.stringify(shownText(next))} and can replace it`);
    }
    if (!found?.isSymlink) {
      at = next;
      info = found;
    } else {
      if (++links > MAX_LINKS) throw new Deno.errors.FilesystemLoop(`too many links: lstat '${path}'`);
      // The mode of a link means nothing.
      check(next, { uid: found.uid, mode: 0 }, "the symbolic link", options);
      const target = Deno.readLinkSync(next);
      rest.unshift(...namesOn(target));
      if (target.startsWith("/")) {
        at = "/";
        info = lstatIfAllowed(at);
      }
    }
  }
  return { path: at, info: info ?? Deno.lstatSync(at), isAmongOthers };
}

/** Returns the names on a path. */
function namesOn(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** Checks a directory on the path. Returns true if other users may add names to it, but change only their own. */
function checkDirectory(path: string, info: Deno.FileInfo | null, options: TrustOptions): boolean {
  if (info === null) return false;
  const mode = info.mode ?? 0;
  const isSticky = (mode & STICKY) !== 0;
  check(path, { uid: info.uid, mode: isSticky ? 0 : mode }, "its parent directory", options);
  return isSticky && whyUntrusted(path, info, options) !== null;
}

function check(path: string, ownership: Ownership, how: string, options: TrustOptions): void {
  const fault = whyUntrusted(path, ownership, options);
  if (fault !== null) throw new UntrustedError(`${how} ${JSON.stringify(shownText(path))} is ${fault}`);
}

/** Returns what is at a path. Null if that is unknown, because the path is outside of `--allow-read`. */
function lstatIfAllowed(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}

/** Whether a path is on a read-only mount, as far as this program can find out. */
function isOnReadOnlyMount(path: string): boolean {
  try {
    const mounts = readMounts().filter(({ point }) => point === "/" || `${path}/`.startsWith(`${point}/`));
    // Of two mounts at one point, the later one covers the earlier.
    return mounts.reduce((a, b) => b.point.length >= a.point.length ? b : a).isReadOnly;
  } catch {
    // /proc may not be read, for which Deno requires --allow-all. Try to write instead.
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
