import { MAX_MESSAGE_BYTES } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { openDirectory } from "./directory.ts";
import { faultOf } from "./fault.ts";
import { isGranted } from "./permission.ts";
import { distrust, isOnlyOurs, isOthers } from "./trust.ts";
import type { Mailbox } from "./types.ts";

/** How many messages that were wrong are kept. */
const MAX_REJECTED = 100;

/** Opens a messages directory, which others may write: no link in it is followed. */
export function messageDirectory(path: string): Mailbox {
  const isWritable = isGranted({ name: "write", path });
  const directory = openDirectory(path, { maxBytes: MAX_MESSAGE_BYTES, followLinks: false, isWritable });
  const rejected = new Rejected(directory.path);
  // Nothing is found under a name that is not UTF-8, though something is there.
  const gone = (name: string) => directory.look(name) === null ? null : "a name is not UTF-8";
  return {
    ...directory,
    remove: (name) => attempt(() => Deno.removeSync(join(directory.path, name)), () => gone(name)),
    isShared: () => isShared(directory.path),
    reject: (name) => attempt(() => rejected.put(name), () => gone(name)),
  };
}

/** `MESSAGES/.rejected`, where the newest messages that were wrong are kept. */
class Rejected {
  readonly #messages: string;
  readonly #path: string;
  /** The names in it, the oldest first, or null before it was looked at. */
  #names: string[] | null = null;

  constructor(messages: string) {
    this.#messages = messages;
    this.#path = join(messages, ".rejected");
  }

  /** Moves a message there, if that is a directory that nobody else can put another thing in the place of. */
  put(name: string): void {
    const message = join(this.#messages, name);
    if (!isSafe(this.#messages) || !makeOwn(this.#path)) return Deno.removeSync(message);
    this.#names ??= namesByAge(this.#path);
    Deno.renameSync(message, join(this.#path, name));
    this.#names = [...this.#names.filter((other) => other !== name), name];
    for (const old of this.#names.splice(0, Math.max(0, this.#names.length - MAX_REJECTED))) {
      attempt(() => Deno.removeSync(join(this.#path, old)), () => null);
    }
  }
}

function namesByAge(path: string): string[] {
  const files = [...Deno.readDirSync(path)].filter(({ isDirectory }) => !isDirectory).map(({ name }) => {
    const { ctime, mtime } = Deno.lstatSync(join(path, name));
    return { name, ctimeMs: ctime?.getTime() ?? 0, mtimeMs: mtime?.getTime() ?? 0 };
  });
  return files.sort((a, b) => a.ctimeMs - b.ctimeMs || a.mtimeMs - b.mtimeMs).map(({ name }) => name);
}

function isShared(path: string): boolean {
  try {
    return distrust(path, Deno.statSync(path)) !== null;
  } catch {
    // It is not there.
    return false;
  }
}

/** Whether only root, we ourselves, and (where it is sticky) the owners of entries may rename what is in a directory. */
function isSafe(path: string): boolean {
  const { uid, mode } = Deno.statSync(path);
  const isSticky = ((mode ?? 0) & 0o1000) !== 0;
  return isOnlyOurs({ uid, mode }) || isSticky && !isOthers(uid);
}

function makeOwn(path: string): boolean {
  try {
    Deno.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const { isDirectory, uid } = Deno.lstatSync(path);
  return isDirectory && uid === Deno.uid();
}

/** Does something to a file; says why where it cannot. `gone` is asked where there was nothing to do it to. */
function attempt(action: () => void, gone: () => string | null): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? gone() : faultOf(error);
  }
}
