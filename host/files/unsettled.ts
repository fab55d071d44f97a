import type { FileStamp } from "../types.ts";
import { isSameStamp } from "./file_stamp.ts";

/**
 * Names whose files have changed, and may be changing still: editors, `cp` and `sed -i` leave half-written files for a
 * moment. What two looks so far apart find to be the same has settled.
 */
export class Unsettled {
  readonly #settleMs: number;
  readonly #max: number;
  readonly #names = new Map<string, { readonly stamp: FileStamp | null; readonly due: number }>();

  /** Makes one that remembers no more than `max` names. */
  constructor(settleMs: number, max = Infinity) {
    this.#settleMs = settleMs;
    this.#max = max;
  }

  /** When the first of them is to be looked at again, in the clock's milliseconds; else Infinity. */
  get due(): number {
    return this.#names.values().reduce((earliest, { due }) => Math.min(earliest, due), Infinity);
  }

  /** How many there are. */
  get size(): number {
    return this.#names.size;
  }

  /** The names. */
  keys(): MapIterator<string> {
    return this.#names.keys();
  }

  /** Whether a name is one of them. */
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
   * Takes note of a look at a name; null: nothing is there.
   *
   * @param stampedAt When that was, in the clock's milliseconds.
   * @param now What time it is: some may have passed since, for this program does not always run.
   * @returns Whether a look before, long enough ago, found the same: then the name is forgotten.
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
