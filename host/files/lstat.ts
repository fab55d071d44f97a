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

/** Which file or directory stands at a path, or where a link leads: its device and inode. Null: none that can be seen. */
export function idOf(path: string): string | null {
  try {
    return idFrom(Deno.statSync(path));
  } catch {
    // It is not there, or cannot be seen.
    return null;
  }
}

/** The device and inode of what was seen. */
export function idFrom({ dev, ino }: Deno.FileInfo): string {
  return `${dev}:${ino}`;
}
