import { join } from "@std/path/posix/join";

/** Whether the program that writes in a directory holds its lock, so that it lives. Null if that cannot be seen. */
export function isLocked(directory: string): boolean | null {
  const path = join(directory, ".lock");
  try {
    if (!Deno.lstatSync(path).isFile) return null;
    using file = Deno.openSync(path, { read: true });
    if (!file.tryLockSync(false)) return true;
    file.unlockSync();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? false : null;
  }
}
