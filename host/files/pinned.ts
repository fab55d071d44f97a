/** An open file or directory, and a path that leads to it whatever becomes of its name. */
export interface Pinned extends Disposable {
  /** What is open. */
  readonly file: Deno.FsFile;
  /** The path; null where /proc may not be read, for which Deno wants --allow-all. */
  readonly path: string | null;
}

const DESCRIPTORS = "/proc/self/fd";

/** The paths that are in use: the same directory may be pinned twice. */
const taken = new Set<string>();

/** Finds such a path for an open file, which it closes when it is disposed of. */
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
    // It is closed by now, as the one that listed them is.
    return false;
  }
}
