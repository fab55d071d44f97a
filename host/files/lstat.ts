/** Returns what is at a path, without following a link. Null if nothing is. @throws {Error} If it cannot be seen. */
export function lstat(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Whether this file is at a path, without following a link. False also if that cannot be seen. */
export function isAt(path: string, { dev, ino }: { readonly dev: number; readonly ino: number | null }): boolean {
  try {
    const there = Deno.lstatSync(path);
    return there.dev === dev && there.ino === ino;
  } catch {
    return false;
  }
}

/** Removes what is at a path, if possible. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It is gone, or the directory is no longer writable.
  }
}

/** Returns the device and inode of what a path leads to, through links. Null if it does not exist or cannot be seen. */
export function idOf(path: string): string | null {
  try {
    return idFrom(Deno.statSync(path));
  } catch {
    // It is missing or cannot be seen.
    return null;
  }
}

/** Returns the device and inode of a file. */
export function idFrom({ dev, ino }: Deno.FileInfo): string {
  return `${dev}:${ino}`;
}
