import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";
import { denoClock } from "../clock.ts";
import { faultOf } from "../deno_errors.ts";
import type { Clock, DirectoryLock } from "../types.ts";
import { freshPath } from "./fresh.ts";
import { isAt, lstat, removeIfThere } from "./lstat.ts";
import { pin, type Pinned } from "./pinned.ts";
import { isOthers } from "./trust.ts";

/** The file that is locked. No message has this name, neither here nor for Python NColony. */
const NAME = ".lock";

/** Who can open a file can lock it, so nobody else may. */
const MODE = 0o600;

const RETRY_MS = 20;

/** How long a lock is tried at the start, in milliseconds: whoever sees whether it is held holds it for a moment. */
export const LOCK_PATIENCE_MS = 1000;

/**
 * Takes the lock on a directory: that on a file in it which only this program's user can open. The operating system frees it
 * when this program ends, however it ends. The file is removed with the lock.
 *
 * Where others may write the directory, they can put something else in the place of that file. Then ours takes its place
 * again, so that nobody keeps this program from its lock but who holds it.
 *
 * @param path The directory.
 * @param patienceMs How long the lock is tried, in milliseconds.
 * @returns The lock, or null where another program of root's or of this program's user holds it.
 * @throws {Deno.errors.NotFound} Where there is no such directory.
 * @throws {Deno.errors.PermissionDenied} Where the lock file is root's: nobody else can see whether it is locked.
 */
export async function lockDirectory(
  path: string,
  patienceMs: number,
  clock: Clock = denoClock,
): Promise<DirectoryLock | null> {
  const directory = pin(Deno.openSync(path, { read: true }));
  const at = directory.path ?? path;
  try {
    const file = await takeLock(join(at, NAME), patienceMs, clock);
    if (file !== null) return new FileLock(at, directory, pin(file));
  } catch (error) {
    if (error instanceof Unlockable) return new FileLock(at, directory, null, error.message);
    directory[Symbol.dispose]();
    throw error;
  }
  directory[Symbol.dispose]();
  return null;
}

/** Why no lock file can be made. */
class Unlockable extends Error {}

class FileLock implements DirectoryLock {
  readonly path: string;
  readonly isPinned: boolean;
  readonly file: string;
  readonly fault: string | null;
  readonly #name: string;
  #held: { readonly directory: Pinned; readonly lock: Pinned | null } | null;

  constructor(path: string, directory: Pinned, lock: Pinned | null, fault: string | null = null) {
    this.path = path;
    this.isPinned = directory.path !== null;
    this.#name = join(path, NAME);
    this.file = lock?.path ?? this.#name;
    this.fault = fault;
    this.#held = { directory, lock };
  }

  get isHeld(): boolean {
    const lock = this.#held?.lock ?? null;
    return lock !== null && isAt(this.#name, lock.file.statSync());
  }

  [Symbol.dispose](): void {
    // Before it is let go of: who waits for it sees then that it is there no more.
    if (this.isHeld) removeIfThere(this.#name);
    this.#held?.lock?.[Symbol.dispose]();
    this.#held?.directory[Symbol.dispose]();
    this.#held = null;
  }
}

async function takeLock(path: string, patienceMs: number, clock: Clock): Promise<Deno.FsFile | null> {
  const until = clock.now() + patienceMs;
  for (;;) {
    const seen = lstat(path);
    if (seen !== null && !isOwn(seen)) return replace(path);
    const file = seen === null ? create(path) : open(path);
    const isFree = file?.tryLockSync(true) ?? null;
    if (file !== null && isFree && isAt(path, file.statSync())) return file;
    file?.close();
    // What goes and comes is others' doing, and no lock.
    if (clock.now() >= until) return isFree === false ? null : replace(path);
    await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
  }
}

/** Whether nobody else can have opened it: a file of root's or of this program's user, that has no other name. */
function isOwn({ isFile, uid, mode, nlink }: Deno.FileInfo): boolean {
  return isFile && !isOthers(uid) && ((mode ?? 0) & ~MODE & 0o777) === 0 && nlink === 1;
}

/** Makes the lock file; null where something came there meanwhile. */
function create(path: string): Deno.FsFile | null {
  try {
    return Deno.openSync(path, { read: true, write: true, createNew: true, mode: MODE });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return null;
    throw new Unlockable(faultOf(error));
  }
}

/** Opens the lock file; null if it is not there any more. */
function open(path: string): Deno.FsFile | null {
  try {
    // Only Deno's files can be locked. A FIFO in its place would not make this wait: it is opened for both (Linux, fifo(7)).
    const file = Deno.openSync(path, { read: true, write: true });
    if (isOwn(file.statSync())) return file;
    file.close();
    return null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Puts a lock file, which is locked already, in the place of what others put there. */
function replace(path: string): Deno.FsFile {
  const fresh = freshPath(dirname(path));
  const file = create(fresh)!;
  try {
    file.tryLockSync(true);
    if (lstat(path)?.isDirectory) Deno.renameSync(path, freshPath(dirname(path)));
    Deno.renameSync(fresh, path);
    return file;
  } catch (error) {
    file.close();
    removeIfThere(fresh);
    throw new Unlockable(faultOf(error));
  }
}
