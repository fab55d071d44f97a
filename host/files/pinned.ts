/** An open file or directory with a path that leads to it even if its name changes. */
export interface Pinned extends Disposable {
  /** The open file or directory. */
  readonly file: Deno.FsFile;
  /** The path. Null if /proc may not be read, for which Deno requires `--allow-all`. */
  readonly path: string | null;
}

const DESCRIPTORS = "/proc/self/fd";

/** The paths in use. The same directory may be pinned twice. */
const taken = new Set<string>();

/** Finds such a path for an open file. Disposing of the result closes the file. */
export function pin(file: Deno.FsFile): Pinned {
  const path = findPath(file);
  if (path !== null) taken.add(path);
  return {
    file,
    path,
    [Symbol.dispose]: () => {
      file.close();
      if (path !== null) taken.delete(path);
    },
  };
}

function findPath(file: Deno.FsFile): string | null {
  const own = file.statSync();
  try {
    const paths = [...Deno.readDirSync(DESCRIPTORS)].map(({ name }) => `${DESCRIPTORS}/${name}`).reverse();
    return paths.find((path) => !taken.has(path) && isSame(path, own)) ?? null;
  } catch {
    // There is no /proc, or it may not be read.
    return null;
  }
}

function isSame(path: string, { dev, ino }: Deno.FileInfo): boolean {
  try {
    const info = Deno.statSync(path);
    return info.dev === dev && info.ino === ino;
  } catch {
    // It is closed by now, such as the descriptor that was used to list them.
    return false;
  }
}
