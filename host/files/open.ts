import { isAt, lstat } from "./lstat.ts";
import { isOthers } from "./trust.ts";

/** What Deno and node:fs both say about a file. */
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

/** A regular file that is open for reading. */
export interface OpenFile extends Disposable {
  /** The open file itself, whatever stands at the path by now. */
  readonly facts: FileFacts;
  /** Reads some bytes into a part of a buffer, and returns how many; 0 at the end. */
  read(buffer: Uint8Array, offset: number, length: number): number;
}

/**
 * Opens a regular file for reading.
 *
 * @param path Must lead to the file itself, not to a link.
 * @throws {Error} If it cannot be opened, or is no regular file.
 */
export function openFile(path: string): OpenFile {
  const { closeSync, constants, readSync } = nodeFs();
  const { fd, info } = openRegular(path, constants.O_RDONLY);
  return {
    facts: info,
    read: (buffer, offset, length) => readSync(fd, buffer, offset, length, null),
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/**
 * Reads a small regular file; null if there is none.
 *
 * @throws {Error} If it cannot be read, is no regular file, or is longer than `maxBytes`.
 */
export function readSmallFile(path: string, maxBytes: number): string | null {
  const info = lstat(path);
  if (info === null) return null;
  if (!info.isFile) throw new Error("is not a regular file");
  using file = openFile(path);
  const bytes = new Uint8Array(maxBytes + 1);
  const length = file.read(bytes, 0, bytes.length);
  if (length > maxBytes) throw new Error(`must be at most ${maxBytes} bytes`);
  return new TextDecoder().decode(bytes.subarray(0, length));
}

/** A file that lines are appended to. */
export interface AppendFile {
  /** Its size, in bytes, when it was opened. */
  readonly size: number;
  /** Whether it is the file that stands at a path now. */
  isAt(path: string): boolean;
  /** Writes some of the bytes, and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/**
 * Opens a file of this program's own to append to it, and creates it if it is missing.
 *
 * @param mode The permission bits of a new file, before the umask.
 * @throws {Error} If it cannot be opened, is no regular file, belongs to another user or has several names.
 */
export function openAppend(path: string, mode: number): AppendFile {
  if (!(lstat(path)?.isFile ?? true)) throw new Error("is not a regular file");
  const { closeSync, constants, write } = nodeFs();
  const { fd, info } = openRegular(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, mode);
  const fault = whyNotOurs(info);
  if (fault !== null) {
    closeSync(fd);
    throw new Error(fault);
  }
  return {
    size: info.size,
    isAt: (path) => isAt(path, info),
    write: (bytes) => {
      return new Promise<number>((resolve, reject) => {
        write(fd, bytes, 0, bytes.length, null, (error, written) => error === null ? resolve(written) : reject(error));
      });
    },
    close: () => closeSync(fd),
  };
}

function whyNotOurs({ uid, nlink }: FileFacts): string | null {
  if (isOthers(uid)) return `belongs to uid ${uid}`;
  return nlink === 1 ? null : `has ${nlink} names`;
}

/**
 * Sets a file's time to now, which anyone who may write it can do; any other time only its owner can set. The content stays.
 *
 * @throws {Error} If it may not be written, or is no regular file.
 */
export function touchByWriting(path: string): void {
  const { closeSync, constants, ftruncateSync } = nodeFs();
  const { fd, info } = openRegular(Deno.realPathSync(path), constants.O_WRONLY);
  try {
    ftruncateSync(fd, info.size);
  } finally {
    closeSync(fd);
  }
}

/** An open FIFO: as long as it is held, nobody who opens it waits. */
export interface HeldFifo {
  /** Whether it is the one that stands at a path now. */
  isAt(path: string): boolean;
  close(): void;
}

/** Opens a FIFO for reading and writing, which waits for nobody (Linux, fifo(7)); null if that is not possible. */
export function holdFifo(path: string): HeldFifo | null {
  try {
    // Before it is opened: opening a device can have effects.
    if (!Deno.lstatSync(path).isFifo) return null;
    const { closeSync, constants } = nodeFs();
    const { fd, info } = open(path, constants.O_RDWR);
    if (info.isFIFO()) return { isAt: (path) => isAt(path, info), close: () => closeSync(fd) };
    closeSync(fd);
    return null;
  } catch {
    // It went, or may not be opened.
    return null;
  }
}

interface Opened {
  readonly fd: number;
  readonly info: FileFacts & { isFile(): boolean; isFIFO(): boolean };
}

function openRegular(path: string, flags: number, mode?: number): Opened {
  const opened = open(path, flags, mode);
  if (opened.info.isFile()) return opened;
  nodeFs().closeSync(opened.fd);
  throw new Error("is not a regular file");
}

/** So often a path is opened that others replace meanwhile. */
const MAX_TRIES = 3;

/**
 * The one way to open what somebody else may have put at a path: it never waits, and opens what stands at that path and
 * nothing else.
 *
 * Deno's own open() waits for a FIFO or a lease, and follows links. O_NOFOLLOW alone does not help: without `--allow-all`
 * Deno resolves the path before it opens it. So what was opened must be what stands at the path, itself.
 */
function open(path: string, flags: number, mode?: number): Opened {
  const { closeSync, constants, fstatSync, openSync } = nodeFs();
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const fd = openSync(path, flags | constants.O_NONBLOCK | constants.O_NOFOLLOW, mode);
    const info = fstatSync(fd);
    if (isAt(path, info)) return { fd, info };
    closeSync(fd);
  }
  throw new Error("is being replaced again and again");
}

// deno-lint-ignore no-process-global -- a program that opens nothing should not load node:fs: that takes 20 ms and 5 MiB
const nodeFs = () => process.getBuiltinModule("node:fs");
