import { ensureDirSync } from "@std/fs/ensure-dir";
import { join } from "@std/path";
import { faultOf } from "./directory.ts";

/**
 * A directory with one file per running process, its pid in decimal (Python NColony's `TransportDirectoryDict`).
 *
 * A file is written under a fresh name and renamed into place, so that no planted link is written through.
 */
export class PidDirectory {
  readonly #path: string;

  /** Makes the directory if it is missing. @throws {Error} Where it cannot be made. */
  constructor(path: string) {
    ensureDirSync(path);
    this.#path = path;
  }

  /** Writes the pid of a process; says why where it cannot. */
  write(name: string, pid: number): string | null {
    const fresh = join(this.#path, `.${crypto.randomUUID()}.new`);
    try {
      Deno.writeTextFileSync(fresh, `${pid}`, { createNew: true });
      Deno.renameSync(fresh, join(this.#path, name));
      return null;
    } catch (error) {
      discard(fresh);
      return faultOf(error);
    }
  }

  /** Removes the file of a process; says why where it cannot. */
  remove(name: string): string | null {
    return discard(join(this.#path, name));
  }
}

function discard(path: string): string | null {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return faultOf(error);
  }
  return null;
}
