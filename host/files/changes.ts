import type { Entry } from "@ncolony/core";
import { TimeSlice } from "../time_slice.ts";
import type { Clock, Directory, FileStamp } from "../types.ts";
import { isSameStamp, RACY_MS } from "./file_stamp.ts";
import { Unsettled } from "./unsettled.ts";

/** How far apart two scans must agree before a change that was not renamed into place counts, in milliseconds. */
export const SETTLE_MS = 100;

/** A file that changed. */
export interface FileChange {
  /** Its name. */
  readonly name: string;
  /** What it contains now. Null if it is gone. */
  readonly entry: Entry | null;
}

/** Names to scan, and whether each was renamed into place. */
export type Touched = Iterable<readonly [name: string, complete: boolean]>;

/** The state of a file when it was read, and whether it may have changed since and still look the same. */
interface Known {
  readonly stamp: FileStamp;
  readonly isDoubtful: boolean;
}

/** The settings of {@linkcode Changes}. */
export interface ChangesOptions {
  /**
   * How long a change that was not renamed into place must remain unchanged, in milliseconds. 0 accepts changes at
   * once.
   *
   * @default {100}
   */
  readonly settleMs?: number;
  /** Returns, each only once, the names that were renamed into place since. A running scan reads them first. */
  readonly nextRenamed?: () => string | undefined;
}

/**
 * Finds what changed in a config directory since the previous scan, and yields it file by file, in the order of the
 * listing.
 *
 * Editors, `cp` and `sed -i` leave temporary names and half-written files in a directory for a moment. So a change
 * counts when two scans 100 ms apart find the same, or at once if the file is known to have been renamed into place
 * from an ignored name. The first scan accepts everything.
 *
 * Nothing changes while the directory is missing, or if it is empty and not the directory (device, inode) that was last
 * read, such as after an unmount.
 */
export class Changes {
  readonly #directory: Directory;
  readonly #clock: Clock;
  readonly #nextRenamed: () => string | undefined;
  readonly #known = new Map<string, Known>();
  /** Names whose files have changed but not settled, and when they must be scanned again. */
  readonly #unsettled: Unsettled;
  #id: string | null = null;
  #fault: string | null = null;

  /** Creates a scanner of a directory. */
  constructor(directory: Directory, clock: Clock, options: ChangesOptions = {}) {
    this.#directory = directory;
    this.#clock = clock;
    this.#unsettled = new Unsettled(options.settleMs ?? SETTLE_MS);
    this.#nextRenamed = options.nextRenamed ?? (() => undefined);
  }

  /** Why the last scan failed: the directory is missing or may not be used. Null if it succeeded. */
  get fault(): string | null {
    return this.#fault;
  }

  /** When to scan the unsettled names again, in the clock's milliseconds. Infinity if there are none. */
  get due(): number {
    return this.#unsettled.due;
  }

  /** The names that have not settled. */
  unsettled(): string[] {
    return [...this.#unsettled.keys()];
  }

  /** Whether a name changed and may still be changing. */
  isUnsettled(name: string): boolean {
    return this.#unsettled.has(name);
  }

  /** Scans all names, in slices of at most 10 ms. The scan can be aborted between names. */
  async *scanAll(signal?: AbortSignal): AsyncGenerator<FileChange> {
    const identity = this.#directory.identity();
    if ("fault" in identity) return this.#scanFailed(identity.fault);
    const names = this.#directory.names();
    if ("fault" in names) return this.#scanFailed(names.fault);
    const isFirst = this.#id === null;
    if (names.length === 0 && !isFirst && this.#id !== identity.id) {
      return this.#scanFailed("it is empty and not the same directory as before (unmounted?)");
    }
    this.#id = identity.id;
    this.#fault = null;
    // Building sets of thousands of names takes time, and would do so at each scan that finds no change.
    const all = this.#areAllKnown(names) ? names : [...new Set(names).union(this.#known).union(this.#unsettled)];
    yield* this.#examineAll(all.values().map((name) => [name, isFirst] as const), signal);
  }

  /** Whether a listing without duplicates contains exactly the known names. */
  #areAllKnown(names: readonly string[]): boolean {
    return this.#unsettled.size === 0 && names.length === this.#known.size &&
      names.every((name) => this.#known.has(name));
  }

  /** Scans some names, also in slices. A name with `complete` was renamed into place. */
  async *scan(names: Touched, signal?: AbortSignal): AsyncGenerator<FileChange> {
    // After a failed scan of all names, a scan of some would not notice that the directory can be read again.
    const isPossible = this.#fault === null && this.#id !== null && this.#directory.stands(this.#id);
    yield* isPossible ? this.#examineAll(names, signal) : this.scanAll(signal);
  }

  async *#examineAll(names: Touched, signal?: AbortSignal): AsyncGenerator<FileChange> {
    const slice = new TimeSlice(this.#clock);
    for (const [name, complete] of names) {
      if (signal?.aborted) return;
      const change = this.#examine(name, complete);
      if (change !== null) yield change;
      if (!slice.isOver) continue;
      await slice.yield();
      for (let renamed = this.#nextRenamed(); renamed !== undefined; renamed = this.#nextRenamed()) {
        const first = this.#examine(renamed, true);
        if (first !== null) yield first;
      }
    }
  }

  /** Records that a scan failed. Forgets the unsettled names: all are scanned again once the directory can be read. */
  #scanFailed(fault: string): void {
    this.#unsettled.clear();
    this.#fault = fault;
  }

  /** Returns what a name contains now, if that counts and may differ from before. Null otherwise. */
  #examine(name: string, complete: boolean): FileChange | null {
    const stampedAt = this.#clock.now();
    const stamp = this.#directory.stamp(name);
    const known = this.#known.get(name);
    if (isSameStamp(stamp, known?.stamp ?? null)) {
      this.#unsettled.delete(name);
      if (!known?.isDoubtful) return null;
    } else if (!(complete && stamp !== null) && !this.#settle(name, stamp, stampedAt)) return null;
    const reading = stamp && this.#directory.read(name);
    // Unless the file changed or vanished after its stamp was taken.
    const isSure = isSameStamp(reading?.stamp ?? null, stamp) || complete && reading !== null;
    if (!isSure && !this.#settle(name, reading?.stamp ?? null, stampedAt)) return null;
    this.#unsettled.delete(name);
    if (reading === null) {
      this.#known.delete(name);
      return { name, entry: null };
    }
    const isRacy = Math.abs(this.#clock.wall() - reading.stamp.changedMs) <= RACY_MS;
    this.#known.set(name, { stamp: reading.stamp, isDoubtful: isRacy || (reading.isTransient ?? false) });
    return { name, entry: reading.entry };
  }

  #settle(name: string, stamp: FileStamp | null, stampedAt: number): boolean {
    return this.#unsettled.settle(name, stamp, stampedAt, this.#clock.now());
  }
}
