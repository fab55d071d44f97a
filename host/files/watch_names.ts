import { basename } from "@std/path/posix/basename";

/**
 * Reports the names in a directory that change, until it is disposed of. It may miss some.
 *
 * @returns Null if the directory cannot be watched.
 */
export function watchNames(path: string, onName: (name: string) => void): Disposable | null {
  try {
    const watcher = Deno.watchFs(path, { recursive: false });
    (async () => {
      for await (const { paths } of watcher) paths.forEach((path) => onName(basename(path)));
    })().catch(() => {
      // It missed something, or the directory is gone.
    });
    return { [Symbol.dispose]: () => watcher[Symbol.dispose]() };
  } catch {
    // There is no such directory, or the system has no more watches.
    return null;
  }
}
