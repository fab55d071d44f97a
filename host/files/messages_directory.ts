import { MAX_MESSAGE_BYTES } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import type { MessagesDirectory, TrustOptions } from "../types.ts";
import { identify, openDirectory } from "./directory.ts";
import { isOnlyOurs, isOthers } from "./trust.ts";

/** The most rejected messages that are kept. */
const MAX_REJECTED = 100;

/**
 * Opens a messages directory. Other users may write to it, so no link in it is followed. They must not be able to
 * replace the directory itself, so that other files would be taken for messages, unless {@linkcode TrustOptions} allow
 * it.
 */
export function messageDirectory(path: string, trust: TrustOptions = {}): MessagesDirectory {
  const options = { maxBytes: MAX_MESSAGE_BYTES, followLinks: false };
  const own = openDirectory(path, options);
  let directory = own;
  // There may be a file whose name is not UTF-8, although nothing is found under the name.
  const gone = (name: string) => directory.stamp(name) === null ? null : "a file name is not valid UTF-8";
  return {
    path: own.path,
    identity: () => identify(own.path, trust, true),
    stands: (id) => own.stands(id),
    use: (at) => {
      directory = at === null ? own : openDirectory(at, options);
    },
    // A removed directory can still be listed while it is held open.
    names: () => isRemoved(directory.path) ? { fault: "no such file or directory" } : directory.names(),
    stamp: (name) => directory.stamp(name),
    read: (name) => directory.read(name),
    remove: (name) => attempt(() => Deno.removeSync(join(directory.path, name)), () => gone(name)),
    changedMs: () => changedMs(directory.path),
    isShared: () => isShared(directory.path),
    reject: (name) => attempt(() => putAway(directory.path, name), () => gone(name)),
  };
}

/**
 * Moves a message to `MESSAGES/.rejected`. Returns why it stays where it is: other users could replace that directory,
 * or it is full. A file that is no message is not removed, because it may be there by mistake.
 */
function putAway(messages: string, name: string): string | null {
  const rejected = join(messages, ".rejected");
  if (!isSafe(messages) || !makeOwn(rejected)) return "other users can replace .rejected";
  const kept = [...Deno.readDirSync(rejected)].map(({ name }) => name);
  if (kept.includes(name)) return ".rejected already has a message of this name";
  if (kept.length >= MAX_REJECTED) return `.rejected already has ${MAX_REJECTED} messages`;
  Deno.renameSync(join(messages, name), join(rejected, name));
  return null;
}

function changedMs(path: string): number | null {
  try {
    return Deno.statSync(path).mtime?.getTime() ?? null;
  } catch {
    // It does not exist.
    return null;
  }
}

function isRemoved(path: string): boolean {
  try {
    return Deno.statSync(path).nlink === 0;
  } catch {
    // Listing it will show why.
    return false;
  }
}

function isShared(path: string): boolean {
  try {
    return !isOnlyOurs(Deno.statSync(path));
  } catch {
    // It does not exist.
    return false;
  }
}

/** Whether only root, the current user, and (if the directory is sticky) the owners of entries can rename entries. */
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

/** Does something to a file. Returns why if that fails. Calls `gone` if there was no such file. */
function attempt(action: () => string | null | void, gone: () => string | null): string | null {
  try {
    return action() ?? null;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? gone() : faultOf(error);
  }
}
