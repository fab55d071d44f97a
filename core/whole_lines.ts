const NEWLINE = 0x0a;
const EMPTY = new Uint8Array(0);

/** A line that is longer than this, in bytes, is passed on before it has ended. */
const MAX_HELD_BYTES = 65_536;

/** Several streams that go to one place: which of them has begun a line there that has not ended. */
export class SharedPlace {
  /** The stream, or null where the place ends with a whole line. */
  begun: WholeLines | null = null;
}

/**
 * Passes a stream of bytes on up to its last newline, and holds the rest back until its line has ended, or until it is
 * told to wait no longer. Where another stream has begun a line in the same place, that is ended first.
 */
export class WholeLines {
  readonly #place: SharedPlace;
  #held: Uint8Array<ArrayBuffer> = EMPTY;
  #heldBytes = 0;
  #ended = 0;

  /** Makes one that passes on to a place of its own, or to one that others pass on to as well. */
  constructor(place: SharedPlace = new SharedPlace()) {
    this.#place = place;
  }

  /** Grows with the lines that have ended. */
  get ended(): number {
    return this.#ended;
  }

  /** Whether a line has begun, and not ended, of which something is held back. */
  get isHolding(): boolean {
    return this.#heldBytes > 0;
  }

  /**
   * Takes the next bytes.
   *
   * @returns The pieces to be passed on in this order, none where no line has ended; only lent until the next call. What
   * is held back is copied, so that the caller may use its buffer again.
   */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) this.#ended++;
    const isTooLong = end === 0 && this.#heldBytes + bytes.length > MAX_HELD_BYTES;
    if (end === 0 && !isTooLong) {
      this.#hold(bytes);
      return [];
    }
    const whole = isTooLong ? bytes.length : end;
    const pieces = this.#pass(this.#release(), bytes.subarray(0, whole));
    this.#hold(bytes.subarray(whole));
    return pieces;
  }

  /** Passes on what is held back of a line that has not ended. */
  flush(): readonly Uint8Array[] {
    return this.#pass(this.#release());
  }

  /** Passes on a last line that has no newline, with one. */
  end(): readonly Uint8Array[] {
    const isOpen = this.isHolding || this.#place.begun === this;
    return isOpen ? this.#pass(this.#release(), Uint8Array.of(NEWLINE)) : [];
  }

  #pass(...pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    const passed = pieces.filter(({ length }) => length > 0);
    if (passed.length === 0) return [];
    const { begun } = this.#place;
    this.#place.begun = passed.at(-1)!.at(-1) === NEWLINE ? null : this;
    return begun === null || begun === this ? passed : [Uint8Array.of(NEWLINE), ...passed];
  }

  /** What is held back, which is held no longer. */
  #release(): Uint8Array {
    const held = this.#held.subarray(0, this.#heldBytes);
    this.#held = EMPTY;
    this.#heldBytes = 0;
    return held;
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
