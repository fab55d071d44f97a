/**
 * Takes the lock on a directory itself, so that no file has to be made; the operating system frees it when this program
 * ends, however it ends.
 *
 * @returns What frees it, or null where another program holds it.
 * @throws {Deno.errors.NotFound} Where there is no such directory.
 */
export function lockDirectory(path: string): Disposable | null {
  const file = Deno.openSync(path, { read: true });
  if (file.tryLockSync(true)) return file;
  file.close();
  return null;
}
