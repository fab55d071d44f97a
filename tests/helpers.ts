import { ensureDirSync } from "@std/fs/ensure-dir";
import { join } from "@std/path";

/** A directory that is removed after the test: `using dir = tempDir()`. */
export interface TempDir extends Disposable {
  readonly path: string;
  /** Returns the path of a name in it. */
  file(...names: string[]): string;
  /** Creates a directory in it. Returns its path. */
  dir(name: string): string;
  /** Writes a file in it, in place. Returns its path. */
  write(name: string, text: string): string;
}

/** Creates a {@linkcode TempDir}. */
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
 * Waits until a condition holds.
 *
 * @returns The result of the condition, which is neither false, null nor undefined.
 * @throws {Error} If that takes 60 s, far longer than it ever should. The error names the condition.
 */
export async function until<T>(
  what: string,
  condition: () => T | false | null | undefined | Promise<T | false | null | undefined>,
): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const start = performance.now();
    const value = await condition();
    if (value !== false && value !== null && value !== undefined) return value;
    const now = performance.now();
    if (now > deadline) throw new Error(`Waited 60 s in vain until ${what}`);
    // If the condition is slow to check, leave most of the time to the processes that it waits for.
    await new Promise((resolve) => setTimeout(resolve, Math.max(5, 2 * (now - start))));
  }
}

/** Checks whether a process, or any process of a group if `pid` is negative, exists. Zombies count. */
export function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
