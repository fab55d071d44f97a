/** No more are held than this: a directory may be full of them. */
const MAX_HELD = 256;

/**
 * Keeps FIFOs that lie in a watched directory open for writing.
 *
 * Deno's watch opens, for reading, whatever an event names (`same_file::is_same_file` in runtime/ops/fs_events.rs), and so
 * waits for ever at a FIFO that nobody writes to. While we hold it open it does not wait. Only FIFOs are ever opened, and
 * nothing is written to them.
 */
export class Fifos {
  readonly #held = new Map<string, Deno.FsFile>();

  /** Holds these, and lets go of all others. */
  holdThese(paths: ReadonlySet<string>): void {
    for (const [path, held] of this.#held) {
      if (paths.has(path) && isStill(path, held)) continue;
      this.#held.delete(path);
      held.close();
    }
    for (const path of paths) if (!this.#held.has(path) && this.#held.size < MAX_HELD) this.#hold(path);
  }

  #hold(path: string): void {
    try {
      // A FIFO that is opened for both waits for nobody (Linux, fifo(7)).
      this.#held.set(path, Deno.openSync(path, { read: true, write: true }));
    } catch {
      // It went, or may not be opened.
    }
  }
}

/** Whether what is held is what stands there now, and not one that was made anew. */
function isStill(path: string, file: Deno.FsFile): boolean {
  try {
    const [there, held] = [Deno.statSync(path), file.statSync()];
    return there.dev === held.dev && there.ino === held.ino;
  } catch {
    // It went.
    return false;
  }
}
