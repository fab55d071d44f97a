/** The longest line that is passed on in one piece, in bytes. */
export const MAX_LINE_BYTES = 16_384;

/**
 * Takes one line, or one piece of a long line, as the bytes from `start` to `end`, without the newline.
 *
 * The bytes are only valid during the call. `first` is false if the piece continues the previous one, `last` is false
 * if the next piece continues this one.
 */
export type OnLine = (bytes: Uint8Array, start: number, end: number, first: boolean, last: boolean) => void;

/**
 * Splits a stream of bytes into lines, buffering at most `limit` bytes.
 *
 * @example
 * ```ts
 * import { LineSplitter } from "@ncolony/core";
 *
 * const lines: string[] = [];
 * const splitter = new LineSplitter((bytes, start, end) => {
 *   lines.push(String.fromCharCode(...bytes.subarray(start, end)));
 * });
 * splitter.push(Uint8Array.of(0x61, 0x0a, 0x62)); // "a\nb"
 * splitter.end();
 * if (lines.join() !== "a,b") throw new Error("unexpected");
 * ```
 */
export class LineSplitter {
  readonly #onLine: OnLine;
  readonly #limit: number;
  /** The buffered beginning of an unfinished line. */
  #held = new Uint8Array(0);
  #heldBytes = 0;
  #first = true;
  #ended = 0;

  /**
   * Creates a splitter that passes lines of at most `limit` bytes to `onLine`.
   *
   * @throws {RangeError} If `limit` is less than 4, the length of the longest UTF-8 character.
   */
  constructor(onLine: OnLine, limit: number = MAX_LINE_BYTES) {
    if (!(limit >= 4)) throw new RangeError(`Cannot split lines at ${limit} bytes: the limit must be at least 4`);
    this.#onLine = onLine;
    this.#limit = limit;
  }

  /** Takes the next bytes. Those that are not passed on are copied, so the caller may reuse the buffer. */
  push(bytes: Uint8Array): void {
    let start = 0;
    while (start < bytes.length) {
      const newline = bytes.indexOf(0x0a, start);
      const end = newline < 0 ? bytes.length : newline;
      start = this.#take(bytes, start, end, newline >= 0);
    }
  }

  /** The number of lines that have ended. */
  get ended(): number {
    return this.#ended;
  }

  /** Whether part of an unfinished line is buffered. */
  get isHolding(): boolean {
    return this.#heldBytes > 0;
  }

  /** Passes on the buffered part of an unfinished line, up to its last whole character, as a piece. */
  flush(): void {
    const whole = wholeCharacters(this.#held, this.#heldBytes);
    if (this.#heldBytes === 0 || whole === 0) return;
    this.#give(this.#held, 0, whole, false);
    this.#held.copyWithin(0, whole, this.#heldBytes);
    this.#heldBytes -= whole;
  }

  /** Passes on the rest of the last line if it has no newline. */
  end(): void {
    if (this.#heldBytes > 0) this.#give(this.#held, 0, this.#heldBytes, true);
    this.#heldBytes = 0;
  }

  /** Takes the bytes of one line. Returns where the next line begins. */
  #take(bytes: Uint8Array, start: number, end: number, whole: boolean): number {
    while (this.#heldBytes + end - start > this.#limit) start = this.#cut(bytes, start);
    if (whole && this.#heldBytes === 0) this.#give(bytes, start, end, true);
    else {
      this.#hold(bytes, start, end);
      if (whole) {
        this.#give(this.#held, 0, this.#heldBytes, true);
        this.#heldBytes = 0;
      }
    }
    return end + 1;
  }

  /** Passes on a piece that is not the last of its line. Returns where the rest begins. */
  #cut(bytes: Uint8Array, start: number): number {
    const middle = start + this.#limit - this.#heldBytes;
    this.#hold(bytes, start, middle);
    const end = wholeCharacters(this.#held, this.#heldBytes);
    this.#give(this.#held, 0, end, false);
    this.#held.copyWithin(0, end, this.#heldBytes);
    this.#heldBytes -= end;
    return middle;
  }

  #hold(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#heldBytes + end - start;
    if (needed > this.#held.length) {
      const larger = new Uint8Array(Math.min(Math.max(needed, 2 * this.#held.length), this.#limit));
      larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    this.#held.set(bytes.subarray(start, end), this.#heldBytes);
    this.#heldBytes = needed;
  }

  #give(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.#onLine(bytes, start, end, this.#first, last);
    this.#first = last;
    if (last) this.#ended++;
  }
}

/** Returns where to end a piece of at most `length` bytes so that it does not split a UTF-8 character. */
function wholeCharacters(bytes: Uint8Array, length: number): number {
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back];
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? length - back : length;
    if (byte < 0x80) return length;
  }
  return length;
}
