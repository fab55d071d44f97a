import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";
import { denoClock } from "../clock.ts";
import { faultOf } from "../deno_errors.ts";
import type { Clock, DirectoryLock } from "../types.ts";
import { freshPath } from "./fresh.ts";
import { isAt, lstat, removeIfThere } from "./lstat.ts";
import { pin, type Pinned } from "./pinned.ts";
import { isOthers } from "./trust.ts";

/** The lock file. No message has this name, neither here nor in Python NColony. */
const NAME = ".lock";

/** Anyone who can open a file can lock it, so no other user may. */
const MODE = 0o600;

const RETRY_MS = 20;

/** How long to try to get a lock at startup, in milliseconds. A program that checks a lock holds it for a moment. */
export const LOCK_TIMEOUT_MS = 1000;

/**
 * Locks a directory by locking a file in it that only the current user can open. The operating system releases the lock
 * when this program exits, however it exits. The file is removed with the lock.
 *
 * If other users may write to the directory, they can replace that file. Then it is replaced again, so that nothing but
 * the holder of the lock can keep this program from getting it.
 *
 * @param path The directory.
 * @param timeoutMs How long to try, in milliseconds.
 * @returns The lock. Null if another program of root or of the current user holds it.
 * @throws {Deno.errors.NotFound} If the directory does not exist.
 * @throws {Deno.errors.PermissionDenied} If the lock file belongs to root, so that no other user can see if it is
 * locked.
 */
export async function lockDirectory(
  path: string,
  timeoutMs: number,
  clock: Clock = denoClock,
): Promise<DirectoryLock | null> {
  const directory = pin(Deno.openSync(path, { read: true }));
  const at = directory.path ?? path;
  try {
    const file = await takeLock(join(at, NAME), timeoutMs, clock);
    if (file !== null) return new FileLock(at, directory, pin(file));
  } catch (error) {
    if (error instanceof Unlockable) return new FileLock(at, directory, null, error.message);
    directory[Symbol.dispose]();
    throw error;
  }
  directory[Symbol.dispose]();
  return null;
}

/**
 * Locks a file in a directory that no other user may write, as {@linkcode lockDirectory} does. The file stays.
 *
 * @throws {Error} If it cannot be created or opened.
 */
export async function lockFile(path: string, timeoutMs: number, clock: Clock = denoClock): Promise<Disposable | null> {
  const file = await takeLock(path, timeoutMs, clock);
  return file === null ? null : { [Symbol.dispose]: () => file.close() };
}

/** Why the lock file cannot be created. */
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
    // Before it is released: a program that waits for the lock then sees that the file is gone.
    if (this.isHeld) removeIfThere(this.#name);
    this.#held?.lock?.[Symbol.dispose]();
    this.#held?.directory[Symbol.dispose]();
    this.#held = null;
  }
}

async function takeLock(path: string, timeoutMs: number, clock: Clock): Promise<Deno.FsFile | null> {
  const until = clock.now() + timeoutMs;
  for (;;) {
    const seen = lstat(path);
    if (seen !== null && !isOwn(seen)) return replace(path);
    const file = seen === null ? create(path) : open(path);
    const isFree = file?.tryLockSync(true) ?? null;
    if (file !== null && isFree && isAt(path, file.statSync())) return file;
    file?.close();
    // A file that comes and goes is the work of other users, and not a lock.
    if (clock.now() >= until) return isFree === false ? null : replace(path);
    await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
  }
}

/** Whether no other user can have opened it: a file of root or the current user with no other name. */
function isOwn({ isFile, uid, mode, nlink }: Deno.FileInfo): boolean {
  return isFile && !isOthers(uid) && ((mode ?? 0) & ~MODE & 0o777) === 0 && nlink === 1;
}

/** Creates the lock file. Null if something else was created there first. */
function create(path: string): Deno.FsFile | null {
  try {
    return Deno.openSync(path, { read: true, write: true, createNew: true, mode: MODE });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return null;
    throw new Unlockable(faultOf(error));
  }
}

/** Opens the lock file. Null if it is gone. */
function open(path: string): Deno.FsFile | null {
  try {
    // Only Deno's files can be locked. A FIFO in its place would not block: it is opened for both (Linux, fifo(7)).
    const file = Deno.openSync(path, { read: true, write: true });
    if (isOwn(file.statSync())) return file;
    file.close();
    return null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Replaces what other users put there with a lock file that is already locked. */
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
