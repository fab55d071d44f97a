import { join } from "@std/path/posix/join";
import { removeIfThere } from "./lstat.ts";

/** A path in a directory that nothing stands at, so that no planted link is written through; monitors ignore its name. */
export function freshPath(directory: string): string {
  return join(directory, `.${crypto.randomUUID()}.new`);
}

/** Makes a file and removes it, to see whether that can be done, or for a watch to see. @throws {Error} Where it cannot. */
export function probe(path: string): void {
  Deno.openSync(path, { write: true, createNew: true }).close();
  Deno.removeSync(path);
}

/** Puts a text in the place of a file: a reader finds one or the other. @throws {Error} Where that fails; nothing is left behind. */
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
