/** What stands at a path, itself where that is a link; null where there is nothing. @throws {Error} Where that cannot be seen. */
export function lstat(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Whether the same file stands at a path, itself where that is a link; false also where that cannot be seen. */
export function isAt(path: string, { dev, ino }: { readonly dev: number; readonly ino: number | null }): boolean {
  try {
    const there = Deno.lstatSync(path);
    return there.dev === dev && there.ino === ino;
  } catch {
    return false;
  }
}

/** Removes what stands at a path, if it can be removed. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It went, or the directory cannot be written any more.
  }
}
