import { join } from "@std/path/posix/join";
import { removeIfThere } from "./lstat.ts";

/** Returns an unused path in a directory, so that no planted link is written through. Monitors ignore its name. */
export function freshPath(directory: string): string {
  return join(directory, `.${crypto.randomUUID()}.new`);
}

/** Creates a file and removes it, to check that this is possible or to trigger a watch. @throws {Error} If it fails. */
export function probe(path: string): void {
  Deno.openSync(path, { write: true, createNew: true }).close();
  Deno.removeSync(path);
}

/** Replaces a file. A reader finds the old text or the new one. @throws {Error} If it fails; leaves nothing behind. */
export function replaceFile(directory: string, name: string, text: string, mode: number): void {
  const fresh = freshPath(directory);
  try {
    Deno.writeTextFileSync(fresh, text, { createNew: true, mode });
    Deno.renameSync(fresh, join(directory, name));
  } catch (error) {
    removeIfThere(fresh);
    throw error;
  }
}
