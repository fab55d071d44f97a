import { dirname } from "@std/path/posix/dirname";
import { isPrivate } from "./trust.ts";

/** What Deno and node:fs both tell of a file. */
export interface FileFacts {
  readonly ino: number | null;
  readonly size: number;
  readonly mtime: Date | null;
  readonly ctime: Date | null;
  readonly uid: number | null;
  readonly mode: number | null;
}

/** A file that is open for reading. */
export interface OpenFile {
  /** What it is, or null where it is no regular file. */
  facts(): FileFacts | null;
  /** Reads some bytes into a part of a buffer, says how many; 0 at the end. */
  read(buffer: Uint8Array, offset: number, length: number): number;
  close(): void;
}

/** After so long an open waits for ever, in milliseconds: a FIFO took the place of the file. */
const PATIENCE_MS = 1000;

/** Whether an open waits, perhaps for ever: it keeps one of Deno's 32 threads for files, and no other may follow it. */
let hangs = false;

/**
 * Opens a file, and does not wait for ever where somebody puts a FIFO in its place at this very moment.
 *
 * Deno's own `open()` has no O_NONBLOCK, and follows links; {@linkcode openNonBlocking} takes 20 ms and 10 MiB to load. So
 * that is kept for files that somebody may want to do harm with, and for all once an open did not come back.
 *
 * @throws {Error} Where it cannot be opened.
 */
export async function openFile(path: string, followLinks: boolean): Promise<OpenFile> {
  const paths = followLinks ? [path, Deno.realPathSync(path)] : [path];
  if (hangs || !paths.every(isInPrivate)) return openNonBlocking(path, followLinks);
  const opening = Deno.open(path);
  const { promise: late, resolve } = Promise.withResolvers<null>();
  // The first setTimeout() takes 5 ms to load; the first child should not wait for that.
  AbortSignal.timeout(PATIENCE_MS).addEventListener("abort", () => resolve(null));
  const file = await Promise.race([opening, late]);
  if (file === null) {
    hangs = true;
    opening.then((file) => file.close(), () => {});
    return openNonBlocking(path, followLinks);
  }
  return {
    facts: () => {
      const info = file.statSync();
      return info.isFile ? info : null;
    },
    read: (buffer, offset, length) => file.readSync(buffer.subarray(offset, offset + length)) ?? 0,
    close: () => file.close(),
  };
}

/** Whether nobody but root and this program's own user can put something else in the place of a file. */
function isInPrivate(path: string): boolean {
  try {
    return isPrivate(Deno.statSync(dirname(path)));
  } catch {
    // The directory may not be seen, or who this program runs as is not to be known.
    return false;
  }
}

/**
 * Opens a file, and never waits, whatever it is.
 *
 * @throws {Error} Where it cannot be opened.
 */
export function openNonBlocking(path: string, followLinks: boolean): OpenFile {
  // deno-lint-ignore no-process-global -- to import node:process, or node:fs itself, would load them at the start
  const { closeSync, constants, fstatSync, openSync, readSync } = process.getBuiltinModule("node:fs");
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
