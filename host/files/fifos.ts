import { join } from "@std/path/posix/join";
import { RACY_MS } from "./file_stamp.ts";
import { type HeldFifo, holdFifo } from "./open.ts";

/** The most FIFOs that are held. A directory may be full of them. */
const MAX_HELD = 256;

/**
 * Keeps the FIFOs in watched directories open for writing.
 *
 * Deno's watch opens whatever an event names for reading (`same_file::is_same_file` in runtime/ops/fs_events.rs), so it
 * hangs at a FIFO without a writer. While the FIFO is held open, it does not hang. Only FIFOs are opened, never through
 * a link, and nothing is written to them.
 */
export class Fifos {
  readonly #directories: readonly string[];
  readonly #held = new Map<string, HeldFifo>();
  /** The state of each directory when it was listed, unless it may have changed since and still look the same. */
  readonly #listed = new Map<string, string>();

  /** Creates a holder that holds nothing yet. */
  constructor(directories: readonly string[]) {
    this.#directories = directories;
  }

  /** Opens the FIFOs that are there now, and closes those that are gone. */
  hold(): void {
    for (const directory of this.#directories) {
      try {
        this.#holdIn(directory);
      } catch {
        // It is gone or cannot be listed.
      }
    }
  }

  /** Closes all FIFOs. */
  close(): void {
    for (const held of this.#held.values()) held.close();
    this.#held.clear();
  }

  #holdIn(directory: string): void {
    const { ino, mtime } = Deno.statSync(directory);
    const changedMs = mtime?.getTime() ?? Infinity;
    const stamp = `${ino} ${changedMs}`;
    if (this.#listed.get(directory) === stamp) return;
    if (changedMs < Date.now() - RACY_MS) this.#listed.set(directory, stamp);
    else this.#listed.delete(directory);
    const special = [...Deno.readDirSync(directory)].filter((entry) => {
      return !entry.isFile && !entry.isDirectory && !entry.isSymlink;
    });
    const paths = new Set(special.map(({ name }) => join(directory, name)));
    for (const [path, held] of this.#held) {
      if (!path.startsWith(`${directory}/`) || paths.has(path) && held.isAt(path)) continue;
      held.close();
      this.#held.delete(path);
    }
    for (const path of paths) if (!this.#held.has(path) && this.#held.size < MAX_HELD) this.#holdOne(path);
  }

  #holdOne(path: string): void {
    const held = holdFifo(path);
    if (held !== null) this.#held.set(path, held);
  }
}
