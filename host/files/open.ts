import { NODE } from "../node.ts";
import { isAt, lstat } from "./lstat.ts";
import { isOthers } from "./trust.ts";

/** The properties of a file that both Deno and node:fs provide. */
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
  /** The open file itself, even if another file is at the path by now. */
  readonly facts: FileFacts;
  /**
   * Reads bytes into a part of a buffer, from a position in the file, or else from where the last read ended. Returns how
   * many; 0 at the end.
   */
  read(buffer: Uint8Array, offset: number, length: number, position?: number): number;
  /** Returns its properties as they are now. */
  now(): FileFacts;
}

/**
 * Opens a regular file for reading.
 *
 * @param path The path of the file itself, not of a link.
 * @throws {Error} If it cannot be opened or is not a regular file.
 */
export function openFile(path: string): OpenFile {
  const { closeSync, constants, fstatSync, readSync } = NODE.fs();
  const { fd, info } = openRegular(path, constants.O_RDONLY);
  return {
    facts: info,
    read: (buffer, offset, length, position) => readSync(fd, buffer, offset, length, position ?? null),
    now: () => fstatSync(fd),
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/**
 * Reads a small regular file. Null if it does not exist.
 *
 * @throws {Error} If it cannot be read, is not a regular file, or is longer than `maxBytes`.
 */
export function readSmallFile(path: string, maxBytes: number): string | null {
  if (lstat(path) === null) return null;
  using file = openFile(path);
  const bytes = new Uint8Array(maxBytes + 1);
  const length = file.read(bytes, 0, bytes.length);
  if (length > maxBytes) throw new Error(`must be at most ${maxBytes} bytes`);
  return new TextDecoder().decode(bytes.subarray(0, length));
}

/** A file that lines are appended to. */
export class AppendFile {
  readonly #fd: number;
  readonly #id: Pick<FileFacts, "dev" | "ino">;
  #size: number;

  /** Takes over an open file. */
  constructor(fd: number, { dev, ino, size }: FileFacts) {
    this.#fd = fd;
    // Not the whole Stats, which takes 2 KiB: there is a file like this for each process.
    this.#id = { dev, ino };
    this.#size = size;
  }

  /** Its size in bytes, if no other program has changed it since the last `updateSize()`. */
  get size(): number {
    return this.#size;
  }

  /** Reads its size again. */
  updateSize(): void {
    this.#size = NODE.fs().fstatSync(this.#fd).size;
  }

  /** Whether this file is at a path now. */
  isAt(path: string): boolean {
    return isAt(path, this.#id);
  }

  /** Writes some of the bytes. Returns how many. */
  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      NODE.fs().write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
        if (error === null) {
          this.#size += written;
          return resolve(written);
        }
        // Deno writes until all is written. On a full disk it fails after some of it, and does not say how much.
        const before = this.#size;
        this.updateSize();
        const part = this.#size - before;
        if (part > 0 && part <= bytes.length) resolve(part);
        else reject(error);
      });
    });
  }

  /** Writes all of the bytes at once. @throws {Error} If that fails. Some of them may be written then. */
  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += NODE.fs().writeSync(this.#fd, bytes, at);
    this.#size += bytes.length;
  }

  /** Returns false: a regular file is not a terminal. */
  isTerminal(): boolean {
    return false;
  }

  /** Closes it. */
  close(): void {
    NODE.fs().closeSync(this.#fd);
  }
}

/**
 * Opens a file of this program for appending, and creates it if it is missing.
 *
 * @param mode The permission bits of a new file, before the umask.
 * @throws {Error} If it cannot be opened, is not a regular file, belongs to another user or has several names.
 */
export function openAppend(path: string, mode: number): AppendFile {
  const { closeSync, constants } = NODE.fs();
  const { fd, info } = openRegular(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, mode);
  const fault = whyNotOurs(info);
  if (fault === null) return new AppendFile(fd, info);
  closeSync(fd);
  throw new Error(fault);
}

function whyNotOurs({ uid, nlink }: FileFacts): string | null {
  if (isOthers(uid)) return `owned by uid ${uid}`;
  return nlink === 1 ? null : `has ${nlink} hard links`;
}

/**
 * Sets a file's time to now. Anyone who may write to the file can do so; only its owner can set another time. The
 * content stays.
 *
 * @throws {Error} If it may not be written or is not a regular file.
 */
export function touchByWriting(path: string): void {
  const { closeSync, constants, ftruncateSync } = NODE.fs();
  const { fd, info } = openRegular(Deno.realPathSync(path), constants.O_WRONLY);
  try {
    ftruncateSync(fd, info.size);
  } finally {
    closeSync(fd);
  }
}

/** An open FIFO. While it is held, opening it does not block. */
export interface HeldFifo {
  /** Whether this FIFO is at a path now. */
  isAt(path: string): boolean;
  close(): void;
}

/** Opens a FIFO for reading and writing, which never blocks (Linux, fifo(7)). Null if that is not possible. */
export function holdFifo(path: string): HeldFifo | null {
  try {
    // This comes before opening it, because opening a device can have effects.
    if (!Deno.lstatSync(path).isFifo) return null;
    const { closeSync, constants } = NODE.fs();
    const { fd, info } = open(path, constants.O_RDWR);
    if (info.isFIFO()) return { isAt: (path) => isAt(path, info), close: () => closeSync(fd) };
    closeSync(fd);
    return null;
  } catch {
    // It is gone or cannot be opened.
    return null;
  }
}

interface Opened {
  readonly fd: number;
  readonly info: FileFacts & { isFile(): boolean; isFIFO(): boolean };
}

function openRegular(path: string, flags: number, mode?: number): Opened {
  const fault = "not a regular file";
  // Checked before, because opening a device can have effects, and again after, because the file may have been replaced.
  if (!(lstat(path)?.isFile ?? true)) throw new Error(fault);
  const opened = open(path, flags, mode);
  if (opened.info.isFile()) return opened;
  NODE.fs().closeSync(opened.fd);
  throw new Error(fault);
}

/** The most times that a path is opened while other users keep replacing it. */
const MAX_TRIES = 3;

/**
 * The one way to open what another user may have put at a path. It never waits, and opens only what is at that path.
 *
 * Deno's own open() waits for a FIFO or a lease, and follows links. O_NOFOLLOW alone does not help: without
 * `--allow-all` Deno resolves the path before it opens it. So what was opened is compared with what is at the path,
 * without following links.
 */
function open(path: string, flags: number, mode?: number): Opened {
  const { closeSync, constants, fstatSync, openSync } = NODE.fs();
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const fd = openSync(path, flags | constants.O_NONBLOCK | constants.O_NOFOLLOW, mode);
    const info = fstatSync(fd);
    if (isAt(path, info)) return { fd, info };
    closeSync(fd);
  }
  throw new ReplacedError("the file keeps being replaced");
}

/** A file was replaced again and again while it was opened. */
export class ReplacedError extends Error {}
