import { ensureDirSync } from "@std/fs/ensure-dir";
import { join } from "@std/path";

/** A directory that is gone after the test: `using dir = tempDir()`. */
export interface TempDir extends Disposable {
  readonly path: string;
  /** The path of something in it. */
  file(...names: string[]): string;
  /** Makes a directory in it; gives its path. */
  dir(name: string): string;
  /** Writes a file in it, in place; gives its path. */
  write(name: string, text: string): string;
}

/** Makes a {@linkcode TempDir}. */
export function tempDir(): TempDir {
  const path = Deno.makeTempDirSync({ prefix: "ncolony-test-" });
  const file = (...names: string[]) => join(path, ...names);
  return {
    path,
    file,
    dir: (name) => {
      ensureDirSync(file(name));
      return file(name);
    },
    write: (name, text) => {
      Deno.writeTextFileSync(file(name), text);
      return file(name);
    },
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}

/**
 * Waits until a condition holds; fails, naming it, when that takes far longer than it ever should.
 *
 * @returns What the condition gave, which is neither false, null nor undefined.
 */
export async function until<T>(what: string, condition: () => T | false | null | undefined): Promise<T> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const value = condition();
    if (value !== false && value !== null && value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`Waited 30 s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Whether a process (or, where `pid` is negative, anybody of a group) is there, zombies included. */
export function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
