import { dirname } from "@std/path/posix/dirname";
import { isGranted } from "../permission.ts";
import { isAt, lstat } from "./lstat.ts";
import { isOnlyOurs, isOthers } from "./trust.ts";

/** What Deno and node:fs both tell of a file. */
export interface FileFacts {
  readonly dev: number;
  readonly ino: number | null;
  readonly size: number;
  readonly mtime: Date | null;
  readonly ctime: Date | null;
  readonly uid: number | null;
  readonly mode: number | null;
  readonly nlink?: number | null;
}

/** How a file is opened. */
export interface OpenOptions {
  readonly followLinks: boolean;
  /** Whether this program may open it for writing as well, which watches will tell of when it is closed. */
  readonly isWritable?: boolean;
}

/** A file that is open for reading. */
export interface OpenFile {
  /** What it is, or null where it is no regular file. */
  facts(): FileFacts | null;
  /** Reads some bytes into a part of a buffer, says how many; 0 at the end. */
  read(buffer: Uint8Array, offset: number, length: number): number;
  close(): void;
}

/** After so long, or twice that, an open may wait for ever, in milliseconds: a FIFO took the place of the file. */
const PATIENCE_MS = 1000;

/** What ends the patience with all that was opened since less than {@linkcode PATIENCE_MS}: one timer for each takes time. */
let patience: { readonly signal: AbortSignal; readonly since: number } | null = null;

/** How many opens are still waited for: each keeps one of Deno's 32 threads for files, and no other may follow them. */
let hanging = 0;

/**
 * Opens a file, and does not wait for ever where somebody puts a FIFO in its place at this very moment.
 *
 * Deno's own `open()` has no O_NONBLOCK, and follows links; {@linkcode openNonBlocking} takes 20 ms and 10 MiB to load. So
 * that is kept for links, where they are to be followed, for what others can put something else in the place of, and for all
 * while an open does not come back. What may be opened for writing as well needs no patience.
 *
 * @throws {Error} Where it cannot be opened.
 */
export async function openFile(path: string, { followLinks, isWritable }: OpenOptions): Promise<OpenFile> {
  if (hanging > 0 || followLinks || !isInOurDirectory(path)) {
    return openNonBlocking(path, followLinks);
  }
  const file = isWritable && openForBoth(path) || await openPatiently(path);
  if (file === null) return openNonBlocking(path, followLinks);
  return {
    facts: () => {
      const info = file.statSync();
      return info.isFile ? info : null;
    },
    read: (buffer, offset, length) => file.readSync(buffer.subarray(offset, offset + length)) ?? 0,
    close: () => file.close(),
  };
}

/** Opens a file, and waits for nobody: nor does a FIFO that is opened for both (Linux, fifo(7)). Null where it may not be. */
function openForBoth(path: string): Deno.FsFile | null {
  try {
    return Deno.openSync(path, { read: true, write: true });
  } catch {
    // It may not be written, or what else is wrong is seen again.
    return null;
  }
}

/** Opens a file for reading; null where that takes too long. @throws {Error} Where it cannot be opened. */
export async function openPatiently(path: string): Promise<Deno.FsFile | null> {
  const opening = Deno.open(path);
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const now = performance.now();
  // The first setTimeout() takes 5 ms to load; the first child should not wait for that.
  if (patience === null || now >= patience.since + PATIENCE_MS) {
    patience = { signal: AbortSignal.timeout(2 * PATIENCE_MS), since: now };
  }
  const { signal } = patience;
  const giveUp = () => resolve(null);
  signal.addEventListener("abort", giveUp);
  // With a listener the timer would keep this program running.
  const file = await Promise.race([opening, late]).finally(() => signal.removeEventListener("abort", giveUp));
  if (file === null) {
    hanging++;
    opening.then((file) => file.close(), () => {}).finally(() => hanging--);
  }
  return file;
}

/** Whether a file is in a directory that only root and this program's own user may write, as far as that can be known. */
function isInOurDirectory(path: string): boolean {
  const info = Deno.statSync(dirname(path));
  return (info.uid === 0 || isGranted({ name: "sys", kind: "uid" })) && isOnlyOurs(info);
}

/**
 * Opens a file, and never waits, whatever it is.
 *
 * @throws {Error} Where it cannot be opened.
 */
function openNonBlocking(path: string, followLinks: boolean): OpenFile {
  const { closeSync, constants, fstatSync, openSync, readSync } = nodeFs();
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | (followLinks ? 0 : constants.O_NOFOLLOW));
  return {
    facts: () => {
      const info = fstatSync(fd);
      return info.isFile() ? info : null;
    },
    read: (buffer, offset, length) => readSync(fd, buffer, offset, length, null),
    close: () => closeSync(fd),
  };
}

/** A file that lines are appended to. */
export interface AppendFile {
  /** How large it is. */
  readonly size: number;
  /** Whether it is the file that stands at a path now. */
  isAt(path: string): boolean;
  /** Writes some of the bytes, says how many. */
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/**
 * Opens a file of this program's own to append to it, and makes it where it is missing. Follows no link, and waits for nobody.
 *
 * @param mode The permission bits of a new one, of which the umask takes its part.
 * @throws {Error} Where it cannot be opened, or is something else: another user's, or a file that has several names.
 */
export function openAppend(path: string, mode: number): AppendFile {
  // What is no file may be a link to somebody else's, or a pipe that nobody reads.
  if (!(lstat(path)?.isFile ?? true)) throw new Error("is not a regular file");
  const [file, info] = isInOurDirectory(path) ? openOwn(path, mode) : openAmongOthers(path, mode);
  const fault = info === null ? "is not a regular file" : whyNotOurs(info);
  if (fault === null) {
    const { size, dev, ino } = info!;
    return { size, isAt: (path) => isAt(path, { dev, ino }), write: file.write, close: file.close };
  }
  file.close();
  throw new Error(fault);
}

function openOwn(path: string, mode: number): [Omit<AppendFile, "size" | "isAt">, FileFacts | null] {
  const file = Deno.openSync(path, { append: true, create: true, mode });
  const info = file.statSync();
  return [{ write: (bytes) => file.write(bytes), close: () => file.close() }, info.isFile ? info : null];
}

function openAmongOthers(path: string, mode: number): [Omit<AppendFile, "size" | "isAt">, FileFacts | null] {
  const { closeSync, constants, fstatSync, openSync, write } = nodeFs();
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode);
  const info = fstatSync(fd);
  const append = (bytes: Uint8Array) =>
    new Promise<number>((resolve, reject) => {
      write(fd, bytes, 0, bytes.length, null, (error, written) => error === null ? resolve(written) : reject(error));
    });
  return [{ write: append, close: () => closeSync(fd) }, info.isFile() ? info : null];
}

function whyNotOurs({ uid, nlink }: FileFacts): string | null {
  if (isOthers(uid)) return `belongs to uid ${uid}`;
  return nlink === 1 ? null : `has ${nlink} names`;
}

/**
 * Sets a file's time to now, as whoever may write it can; only its owner can set another time. Leaves what it holds, and waits
 * for nobody.
 *
 * @throws {Error} Where it may not be written, or is no file.
 */
export function touchByWriting(path: string): void {
  const { closeSync, constants, fstatSync, ftruncateSync, openSync } = nodeFs();
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    ftruncateSync(fd, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}

/** A FIFO that is open, so that nobody waits who opens it. */
export interface HeldFifo {
  /** Whether it is the one that stands at a path now. */
  isAt(path: string): boolean;
  close(): void;
}

/** Opens a FIFO for reading and writing, which waits for nobody (Linux, fifo(7)); null where there is none, or it may not be. */
export function holdFifo(path: string): HeldFifo | null {
  try {
    // Before it is opened: to open a device can do things to it.
    if (!Deno.lstatSync(path).isFifo) return null;
    const { closeSync, constants, fstatSync, openSync } = nodeFs();
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const info = fstatSync(fd);
    if (info.isFIFO()) return { isAt: (path) => isAt(path, info), close: () => closeSync(fd) };
    closeSync(fd);
    return null;
  } catch {
    // It went, or may not be opened.
    return null;
  }
}

// deno-lint-ignore no-process-global -- to import node:process, or node:fs itself, would load them at the start
const nodeFs = () => process.getBuiltinModule("node:fs");
