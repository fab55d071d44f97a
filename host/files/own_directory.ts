import { dirname } from "@std/path/posix/dirname";
import { resolve } from "@std/path/posix/resolve";
import type { Clock, Identity, TrustOptions } from "../types.ts";
import { identify } from "./directory.ts";
import { lstat } from "./lstat.ts";

/** Who may read what this program writes: its user, and their group. */
const MODE = 0o750;

/** How long it is known that nobody else may change a directory, in milliseconds: to look takes 0.1 ms. */
const KNOWN_MS = 1000;

/** A directory for files of this program's own, which comes back when it goes. */
export class OwnDirectory {
  readonly #path: string;
  readonly #trust: TrustOptions;
  readonly #clock: Clock;
  #knownUntil = -Infinity;

  /** Makes the directory, as {@linkcode makeOwnDirectory} does. @throws {Error} Where that cannot be done. */
  constructor(path: string, trust: TrustOptions, clock: Clock) {
    this.#path = path;
    this.#trust = trust;
    this.#clock = clock;
    this.ensure();
  }

  /** Makes it again where it is gone. @throws {Error} Where it cannot be made, or others could change it by now. */
  ensure(): void {
    const now = this.#clock.now();
    if (now < this.#knownUntil) return;
    makeOwnDirectory(this.#path, this.#trust);
    this.#knownUntil = now + KNOWN_MS;
  }

  /** Has it looked at again: something failed in it. */
  forget(): void {
    this.#knownUntil = -Infinity;
  }
}

/**
 * Makes a directory for files of this program's own, and those above it, unless they are there. Who could write it, or the
 * way there, could have this program write to files of theirs, and read what it wrote there as they like: so only root and
 * this program's own user may, unless {@linkcode TrustOptions} say otherwise.
 *
 * @throws {Error} Where it cannot be made, or others could change it.
 */
export function makeOwnDirectory(path: string, trust: TrustOptions): void {
  const absolute = resolve(path);
  makeMissing(absolute, trust);
  refuse(absolute, identify(absolute, trust));
}

function makeMissing(path: string, trust: TrustOptions): void {
  if (!isMissing(path)) return;
  makeMissing(dirname(path), trust);
  refuse(path, identifyMissing(path, trust));
  Deno.mkdirSync(path, { mode: MODE });
  // The umask took its part. Nobody else can have put a link there meanwhile.
  if (!trust.allowInsecure) Deno.chmodSync(path, MODE);
}

/** Whether nothing is there; what is outside of `--allow-read` is assumed to be there. */
function isMissing(path: string): boolean {
  try {
    return lstat(path) === null;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}

/** Judges the way to what is not there yet. */
function identifyMissing(path: string, trust: TrustOptions): Identity | null {
  const found = identify(path, trust, true);
  return "fault" in found && found.isUntrusted ? found : null;
}

function refuse(path: string, found: Identity | null): void {
  if (found !== null && "fault" in found) {
    throw new Error(`Cannot use directory ${JSON.stringify(path)}: it ${found.fault}`);
  }
}
