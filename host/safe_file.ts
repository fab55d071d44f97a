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

/**
 * Opens a regular file, and never waits: also where somebody puts a FIFO in its place at this very moment.
 *
 * Deno's own `open()` has no O_NONBLOCK, and 32 opens of FIFOs would hang all file I/O; `node:fs` has it, but takes 20 ms
 * and 5 MiB to load. So that is loaded by the first file that needs it.
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
