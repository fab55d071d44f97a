import type { Entry } from "@ncolony/core";
import { TimeSlice } from "../time_slice.ts";
import type { Clock, Directory, FileStamp } from "../types.ts";
import { isSameStamp, RACY_MS } from "./file_stamp.ts";
import { Unsettled } from "./unsettled.ts";

/** Two looks this far apart must agree before what was not renamed into place counts. */
export const SETTLE_MS = 100;

/** A file that changed. */
export interface FileChange {
  /** Its name. */
  readonly name: string;
  /** What it holds now; null where it is gone. */
  readonly entry: Entry | null;
}

/** Touched to look at, and whether each was renamed into place. */
export type Touched = Iterable<readonly [name: string, complete: boolean]>;

/** What a file looked like when it was read, and whether it may hold something else by now and look the same. */
interface Known {
  readonly stamp: FileStamp;
  readonly isDoubtful: boolean;
}

/** What is set of {@linkcode Changes}. */
export interface ChangesOptions {
  /**
   * How long a change that was not renamed into place must stay as it is, in milliseconds; 0 takes everything at once.
   *
   * @default {100}
   */
  readonly settleMs?: number;
  /** Gives, each only once, the names that were renamed into place since: a scan under way takes them first. */
  readonly nextRenamed?: () => string | undefined;
}

/**
 * Finds what changed in a config directory since the look before, and gives it file by file, in the order of the listing.
 *
 * Editors, `cp` and `sed -i` leave names and half-written files in a directory for a moment. So a change counts when two
 * looks 100 ms apart find the same thing, or at once when it is known to have been renamed into place from a name that
 * is ignored. The very first look takes everything as it is.
 *
 * A directory that is not there, or that is empty and another one (device, inode) than was read last, as after an
 * unmount, changes nothing.
 */
export class Changes {
  readonly #directory: Directory;
  readonly #clock: Clock;
  readonly #nextRenamed: () => string | undefined;
  readonly #known = new Map<string, Known>();
  /** Touched that do not look as they did, and when the second look at them is due. */
  readonly #unsettled: Unsettled;
  #id: string | null = null;
  #fault: string | null = null;

  /** Makes one for a directory that was not looked at yet. */
  constructor(directory: Directory, clock: Clock, options: ChangesOptions = {}) {
    this.#directory = directory;
    this.#clock = clock;
    this.#unsettled = new Unsettled(options.settleMs ?? SETTLE_MS);
    this.#nextRenamed = options.nextRenamed ?? (() => undefined);
  }

  /** Why the last look found nothing out: the directory is not there, or may not be used; else null. */
  get fault(): string | null {
    return this.#fault;
  }

  /** When the names that have not settled must be looked at again, in the clock's milliseconds; else Infinity. */
  get due(): number {
    return this.#unsettled.due;
  }

  /** The names that have not settled. */
  unsettled(): string[] {
    return [...this.#unsettled.keys()];
  }

  /** Whether a name changed, and may still be changing. */
  isUnsettled(name: string): boolean {
    return this.#unsettled.has(name);
  }

  /** Looks at every name, in slices of at most 10 ms. Between two slices it may be aborted. */
  async *scanAll(signal?: AbortSignal): AsyncGenerator<FileChange> {
    const identity = this.#directory.identity();
    if ("fault" in identity) return this.#cannotLook(identity.fault);
    const names = this.#directory.names();
    if ("fault" in names) return this.#cannotLook(names.fault);
    const isFirst = this.#id === null;
    if (names.length === 0 && !isFirst && this.#id !== identity.id) {
      return this.#cannotLook("is empty, and another directory than before (unmounted?)");
    }
    this.#id = identity.id;
    this.#fault = null;
    // Sets of thousands of names take their time, at every look at which nothing changed.
    const all = this.#areAllKnown(names) ? names : [...new Set(names).union(this.#known).union(this.#unsettled)];
    yield* this.#examineAll(all.values().map((name) => [name, isFirst] as const), signal);
  }

  /** Whether a listing, in which each name is once, holds what is known, no more and no less. */
  #areAllKnown(names: readonly string[]): boolean {
    return this.#unsettled.size === 0 && names.length === this.#known.size &&
      names.every((name) => this.#known.has(name));
  }

  /** Looks at some names, in slices too: those of which `complete` is true were renamed into place. */
  async *scan(names: Touched, signal?: AbortSignal): AsyncGenerator<FileChange> {
    // After a look at everything that failed, one at some names would not tell that it can be done again.
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

  /** What had not settled is looked for anew when there is a directory again. */
  #cannotLook(fault: string): void {
    this.#unsettled.clear();
    this.#fault = fault;
  }

  /** What a name holds now, if that counts and may not be what it held before; else null. */
  #examine(name: string, complete: boolean): FileChange | null {
    const stampedAt = this.#clock.now();
    const stamp = this.#directory.stamp(name);
    const known = this.#known.get(name);
    if (isSameStamp(stamp, known?.stamp ?? null)) {
      this.#unsettled.delete(name);
      if (!known?.isDoubtful) return null;
    } else if (!(complete && stamp !== null) && !this.#settle(name, stamp, stampedAt)) return null;
    const reading = stamp && this.#directory.read(name);
    // It changed, or went, after the look.
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
