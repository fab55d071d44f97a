const NEWLINE = 0x0a;
const EMPTY = new Uint8Array(0);

/** A line that is longer than this, in bytes, is passed on before it has ended. */
const MAX_HELD_BYTES = 65_536;

/** Passes a stream of bytes on up to its last newline, and holds the rest back until its line has ended. */
export class WholeLines {
  #held: Uint8Array<ArrayBuffer> = EMPTY;
  #heldBytes = 0;

  /**
   * Takes the next bytes.
   *
   * @returns The pieces that make whole lines in this order, none where no line has ended; only lent until the next call.
   * What is held back is copied, so that the caller may use its buffer again.
   */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    const isTooLong = end === 0 && this.#heldBytes + bytes.length > MAX_HELD_BYTES;
    if (end === 0 && !isTooLong) {
      this.#hold(bytes);
      return [];
    }
    const whole = isTooLong ? bytes.length : end;
    const pieces = [this.#held.subarray(0, this.#heldBytes), bytes.subarray(0, whole)];
    this.#held = EMPTY;
    this.#heldBytes = 0;
    this.#hold(bytes.subarray(whole));
    return pieces.filter(({ length }) => length > 0);
  }

  /** Passes on a last line that has no newline, with one. */
  end(): readonly Uint8Array[] {
    const held = this.#held.subarray(0, this.#heldBytes);
    this.#held = EMPTY;
    this.#heldBytes = 0;
    return held.length === 0 ? [] : [held, Uint8Array.of(NEWLINE)];
  }

  #hold(bytes: Uint8Array): void {
    const needed = this.#heldBytes + bytes.length;
    if (needed > this.#held.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#held.length));
      larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes = needed;
  }
}
