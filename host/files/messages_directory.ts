import { MAX_MESSAGE_BYTES } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import type { MessagesDirectory, TrustOptions } from "../types.ts";
import { identify, openDirectory } from "./directory.ts";
import { isOnlyOurs, isOthers } from "./trust.ts";

/** How many messages that were wrong are kept. */
const MAX_REJECTED = 100;

/**
 * Opens a messages directory. Others may write it, so no link in it is followed; but they must not be able to put another
 * directory in its place, whose files would be taken for messages, unless {@linkcode TrustOptions} say otherwise.
 */
export function messageDirectory(path: string, trust: TrustOptions = {}): MessagesDirectory {
  const options = { maxBytes: MAX_MESSAGE_BYTES, followLinks: false };
  const own = openDirectory(path, options);
  let directory = own;
  // Nothing is found under a name that is not UTF-8, though something is there.
  const gone = (name: string) => directory.stamp(name) === null ? null : "a name is not UTF-8";
  return {
    path: own.path,
    identity: () => identify(own.path, trust, true),
    stands: (id) => own.stands(id),
    use: (at) => {
      directory = at === null ? own : openDirectory(at, options);
    },
    // One that was removed can still be listed where it is held open.
    names: () => isRemoved(directory.path) ? { fault: "is not there" } : directory.names(),
    stamp: (name) => directory.stamp(name),
    read: (name) => directory.read(name),
    remove: (name) => attempt(() => Deno.removeSync(join(directory.path, name)), () => gone(name)),
    changedMs: () => changedMs(directory.path),
    isShared: () => isShared(directory.path),
    reject: (name) => attempt(() => putAway(directory.path, name), () => gone(name)),
  };
}

/**
 * Moves a message to `MESSAGES/.rejected`; says why it stays where it is: others could put another thing in the place of that
 * directory, or no more are kept. What is no message is not removed: it may have got there by mistake.
 */
function putAway(messages: string, name: string): string | null {
  const rejected = join(messages, ".rejected");
  if (!isSafe(messages) || !makeOwn(rejected)) return "others may replace .rejected";
  const kept = [...Deno.readDirSync(rejected)].map(({ name }) => name);
  if (kept.includes(name)) return ".rejected has one of this name";
  if (kept.length >= MAX_REJECTED) return `.rejected has ${MAX_REJECTED} already`;
  Deno.renameSync(join(messages, name), join(rejected, name));
  return null;
}

function changedMs(path: string): number | null {
  try {
    return Deno.statSync(path).mtime?.getTime() ?? null;
  } catch {
    // It is not there.
    return null;
  }
}

function isRemoved(path: string): boolean {
  try {
    return Deno.statSync(path).nlink === 0;
  } catch {
    // A listing will tell.
    return false;
  }
}

function isShared(path: string): boolean {
  try {
    return !isOnlyOurs(Deno.statSync(path));
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
function attempt(action: () => string | null | void, gone: () => string | null): string | null {
  try {
    return action() ?? null;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? gone() : faultOf(error);
  }
}
