import { dirname } from "@std/path/posix/dirname";
import { resolve } from "@std/path/posix/resolve";
import type { Clock, Identity, TrustOptions } from "../types.ts";
import { identify } from "./directory.ts";
import { lstat } from "./lstat.ts";

/** The current user may write to these directories, and its group may read them. */
const MODE = 0o750;

/** The bit that a new directory takes over from its parent: its files have its group. */
const SETGID = 0o2000;

/** How long a directory counts as checked, in milliseconds. A check takes 0.1 ms. */
const KNOWN_MS = 1000;

/** A directory for this program's own files, which is created again if it is removed. */
export class OwnDirectory {
  readonly #path: string;
  readonly #trust: TrustOptions;
  readonly #clock: Clock;
  #knownUntil = -Infinity;

  /** Creates the directory, as {@linkcode makeOwnDirectory} does. @throws {Error} If that fails. */
  constructor(path: string, trust: TrustOptions, clock: Clock) {
    this.#path = path;
    this.#trust = trust;
    this.#clock = clock;
    this.ensure();
  }

  /**
   * Creates the directory again if it is gone.
   *
   * @throws {Error} If that fails, or if other users could change it by now.
   */
  ensure(): void {
    const now = this.#clock.now();
    if (now < this.#knownUntil) return;
    makeOwnDirectory(this.#path, this.#trust);
    this.#knownUntil = now + KNOWN_MS;
  }

  /** Has the directory checked again, because something in it failed. */
  forget(): void {
    this.#knownUntil = -Infinity;
  }
}

/**
 * Creates a directory for this program's own files, and its parents, if they are missing. A user who could write to the
 * directory, or change the path to it, could make this program write to files of theirs and could read what it writes.
 * So only root and the current user may, unless {@linkcode TrustOptions} allow it.
 *
 * @throws {Error} If it cannot be created, or if other users could change it.
 */
export function makeOwnDirectory(path: string, trust: TrustOptions): void {
  const absolute = resolve(path);
  makeMissing(absolute, trust);
  refuse(absolute, identify(absolute, trust));
}

/** Creates a directory and its parents if they are missing. @throws {Error} If that fails, or others could change one. */
export function makeMissing(path: string, trust: TrustOptions): void {
  if (!isMissing(path)) return;
  makeMissing(dirname(path), trust);
  refuse(path, identifyMissing(path, trust));
  Deno.mkdirSync(path, { mode: MODE });
  if (trust.allowInsecure) return;
  // The umask removed bits from the mode. No other user can have put a link there in between.
  const setgid = (lstat(path)?.mode ?? 0) & SETGID;
  Deno.chmodSync(path, MODE | setgid);
}

/** Whether nothing exists there. What is outside of `--allow-read` is assumed to exist. */
export function isMissing(path: string): boolean {
  try {
    return lstat(path) === null;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}

/** Checks the path to a directory that does not exist yet. */
function identifyMissing(path: string, trust: TrustOptions): Identity | null {
  const found = identify(path, trust, true);
  return "fault" in found && found.isUntrusted ? found : null;
}

/** Leaves out of a fault which options of the monitor would allow it. Other programs do not have them. */
export function withoutOptions(fault: string): string {
  return fault.replace(/, or use --.*/, "");
}

function refuse(path: string, found: Identity | null): void {
  if (found !== null && "fault" in found) {
    throw new Error(`Cannot use directory ${JSON.stringify(path)}: ${found.fault}`);
  }
}
