const NEWLINE = 0x0a;
const EMPTY = new Uint8Array(0);

/** The most of an unfinished line that is buffered, in bytes. A longer line is passed on before it has ended. */
const MAX_HELD_BYTES = 65_536;

/** A place that several streams write to. Remembers which of them has an unfinished line there. */
export class SharedPlace {
  /** The stream that has an unfinished line at the end of the place, or null. */
  begun: WholeLines | null = null;
}

/**
 * Passes on a stream of bytes up to its last newline, and buffers the rest until the line has ended or `flush` is
 * called. If another stream has an unfinished line in the same place, ends that line first.
 */
export class WholeLines {
  readonly #place: SharedPlace;
  #held: Uint8Array<ArrayBuffer> = EMPTY;
  #heldBytes = 0;
  #ended = 0;

  /** Creates a stream that writes to a place of its own, or to one that it shares with other streams. */
  constructor(place: SharedPlace = new SharedPlace()) {
    this.#place = place;
  }

  /** A counter that grows when lines end. */
  get ended(): number {
    return this.#ended;
  }

  /** Whether part of an unfinished line is buffered. */
  get isHolding(): boolean {
    return this.#heldBytes > 0;
  }

  /**
   * Takes the next bytes.
   *
   * @returns The pieces to pass on, in this order; none if no line has ended. They are only valid until the next call.
   * Buffered bytes are copied, so the caller may reuse its own buffer.
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

  /** Returns the buffered part of an unfinished line, to be passed on. */
  flush(): readonly Uint8Array[] {
    return this.#pass(this.#release());
  }

  /** Returns the rest of the last line, to be passed on. Adds a newline if it is missing. */
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

  /** Returns the buffered bytes, and empties the buffer. */
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
