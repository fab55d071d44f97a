import type { Entry } from "@ncolony/core";
import { TimeSlice } from "../time_slice.ts";
import type { Clock, Directory, FileStamp } from "../types.ts";
import { isSameStamp, RACY_MS } from "./file_stamp.ts";
import { Unsettled } from "./unsettled.ts";

/** Two looks this far apart must agree before what was not renamed into place counts. */
export const SETTLE_MS = 100;

/** So many files are read at a time: threads open them, and to wake one for a single file takes 0.1 ms. */
const BATCH = 16;

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

/** What was read of a file. */
interface Read extends Known {
  readonly entry: Entry;
  readonly isTransient: boolean;
}

/** A name that changed, or that may have: it is being read. */
interface Candidate {
  readonly name: string;
  readonly complete: boolean;
  readonly lookedAt: number;
  readonly stamp: FileStamp | null;
  /** Null where nothing is there. */
  readonly reading: Promise<Read | null> | null;
}

/** What is set of {@linkcode Changes}. */
export interface ChangesOptions {
  /**
   * How long a change that was not renamed into place must stay as it is, in milliseconds; 0 takes everything at once.
   *
   * @default {100}
   */
  readonly settleMs?: number;
  /** Gives, each only once, the names that were renamed into place since: a look under way takes them first. */
  readonly nextRenamed?: () => string | undefined;
}

/**
 * Finds what changed in a config directory since the look before, and gives it file by file, in the order of the listing.
 * No more than sixteen texts at a time are held here.
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
  async *lookAtAll(signal?: AbortSignal): AsyncGenerator<FileChange> {
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
  async *lookAt(names: Touched, signal?: AbortSignal): AsyncGenerator<FileChange> {
    // After a look at everything that failed, one at some names would not tell that it can be done again.
    const isPossible = this.#fault === null && this.#id !== null && this.#directory.stands(this.#id);
    yield* isPossible ? this.#examineAll(names, signal) : this.lookAtAll(signal);
  }

  async *#examineAll(names: Touched, signal?: AbortSignal): AsyncGenerator<FileChange> {
    const slice = new TimeSlice(this.#clock);
    const batch: Candidate[] = [];
    for (const [name, complete] of names) {
      const renamed = this.#nextRenamed();
      if (renamed !== undefined) {
        yield* this.#takeAll(batch, slice);
        yield* this.#takeRenamed(renamed, batch);
      }
      const candidate = this.#examine(name, complete);
      if (candidate !== null) batch.push(candidate);
      // Of thousands of names most are as they were, and to await nothing takes time as well.
      if (batch.length === BATCH || slice.isOver && batch.length > 0) yield* this.#takeAll(batch, slice);
      if (slice.isOver) await slice.yield();
      if (signal?.aborted) break;
    }
    yield* this.#takeAll(batch, slice);
  }

  /** What had not settled is looked for anew when there is a directory again. */
  #cannotLook(fault: string): void {
    this.#unsettled.clear();
    this.#fault = fault;
  }

  /** Looks at a name; begins to read it where that may count, and be something else than before. */
  #examine(name: string, complete: boolean): Candidate | null {
    const lookedAt = this.#clock.now();
    const stamp = this.#directory.look(name);
    const known = this.#known.get(name);
    if (isSameStamp(stamp, known?.stamp ?? null)) {
      this.#unsettled.delete(name);
      if (!known?.isDoubtful) return null;
    } else if (!(complete && stamp !== null) && !this.#settle(name, stamp, lookedAt)) return null;
    this.#unsettled.delete(name);
    const reading = stamp && this.#read(name);
    // Of several that fail, as no read should, the first is what is thrown.
    reading?.catch(() => {});
    return { name, complete, lookedAt, stamp, reading };
  }

  async #read(name: string): Promise<Read | null> {
    const reading = await this.#directory.read(name);
    if (reading === null) return null;
    const { stamp, entry, isTransient = false } = reading;
    const isRacy = Math.abs(this.#clock.wall() - stamp.changedMs) <= RACY_MS;
    return { stamp, entry, isDoubtful: isRacy || isTransient, isTransient };
  }

  /** Takes them out, in their order. */
  async *#takeAll(batch: Candidate[], slice: TimeSlice): AsyncGenerator<FileChange> {
    for (let next = batch.shift(); next !== undefined; next = batch.shift()) {
      const change = await this.#take(next, batch);
      if (change !== null) yield change;
      if (!slice.isOver) continue;
      await slice.yield();
      const renamed = this.#nextRenamed();
      if (renamed !== undefined) yield* this.#takeRenamed(renamed, batch);
    }
  }

  /** Takes what was renamed into place; what is being read of that name came before it, and counts no more. */
  async *#takeRenamed(name: string, batch: Candidate[]): AsyncGenerator<FileChange> {
    const outdated = batch.findIndex((candidate) => candidate.name === name);
    if (outdated >= 0) await batch.splice(outdated, 1)[0].reading;
    const renamed = this.#examine(name, true);
    const change = renamed === null ? null : await this.#take(renamed, batch);
    if (change !== null) yield change;
  }

  /** What a name holds, where that counts; what the system could not read while it read others, is read again, alone. */
  async #take(
    { name, complete, lookedAt, stamp, reading }: Candidate,
    others: readonly Candidate[],
  ): Promise<FileChange | null> {
    let read = await reading;
    if (read?.isTransient) {
      // There may be a file descriptor for one, but not for sixteen.
      await Promise.all(others.map(({ reading }) => reading));
      read = await this.#read(name);
    }
    if (read !== null) {
      // It changed after the look.
      if (!complete && !isSameStamp(read.stamp, stamp) && !this.#settle(name, read.stamp, lookedAt)) return null;
      this.#known.set(name, { stamp: read.stamp, isDoubtful: read.isDoubtful });
      return { name, entry: read.entry };
    }
    if (stamp === null) {
      this.#known.delete(name);
      return { name, entry: null };
    }
    // It vanished between look and read.
    this.#settle(name, null, lookedAt);
    return null;
  }

  #settle(name: string, stamp: FileStamp | null, lookedAt: number): boolean {
    return this.#unsettled.settle(name, stamp, lookedAt, this.#clock.now());
  }
}
