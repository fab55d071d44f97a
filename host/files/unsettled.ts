import type { FileStamp } from "../types.ts";
import { isSameStamp } from "./file_stamp.ts";

/**
 * Names whose files changed and may still be changing: editors, `cp` and `sed -i` leave half-written files for a
 * moment. A file has settled when two scans far enough apart find it unchanged.
 */
export class Unsettled {
  readonly #settleMs: number;
  readonly #max: number;
  readonly #names = new Map<string, { readonly stamp: FileStamp | null; readonly due: number }>();

  /** Creates an empty set of at most `max` names. `settleMs` is the least time between the two scans. */
  constructor(settleMs: number, max = Infinity) {
    this.#settleMs = settleMs;
    this.#max = max;
  }

  /** When the first of the names must be scanned again, in the clock's milliseconds. Infinity if there are none. */
  get due(): number {
    return this.#names.values().reduce((earliest, { due }) => Math.min(earliest, due), Infinity);
  }

  /** The number of names. */
  get size(): number {
    return this.#names.size;
  }

  /** Returns the names. */
  keys(): MapIterator<string> {
    return this.#names.keys();
  }

  /** Whether a name is in the set. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** Forgets a name. */
  delete(name: string): void {
    this.#names.delete(name);
  }

  /** Forgets all names. */
  clear(): void {
    this.#names.clear();
  }

  /**
   * Records the stamp of a name; null: there is no file.
   *
   * @param stampedAt When the stamp was taken, in the clock's milliseconds.
   * @param now The current time, in the clock's milliseconds. This program may have been paused since `stampedAt`.
   * @returns Whether the name has settled, because an earlier stamp, long enough ago, was the same. Then it is
   * forgotten.
   */
  settle(name: string, stamp: FileStamp | null, stampedAt: number, now: number): boolean {
    const before = this.#names.get(name);
    const isSame = before !== undefined && isSameStamp(before.stamp, stamp);
    const isSettled = isSame ? stampedAt >= before.due : this.#settleMs === 0;
    if (isSettled) this.#names.delete(name);
    else if (!isSame && (before !== undefined || this.#names.size < this.#max)) {
      this.#names.set(name, { stamp, due: now + this.#settleMs });
    }
    return isSettled;
  }
}
