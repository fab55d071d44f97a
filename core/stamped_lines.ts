const NEWLINE = 0x0a;

/** Puts a stamp at the beginning of each line of a stream of bytes. */
export class StampedLines {
  #isMidLine = false;

  /** Whether the last line has begun, and not ended. */
  get isMidLine(): boolean {
    return this.#isMidLine;
  }

  /** Makes the next byte begin a line, although the last line has not ended. */
  interrupt(): void {
    this.#isMidLine = false;
  }

  /** Returns the next bytes of the stream, with the stamp before each line that begins among them. */
  push(bytes: Uint8Array, stamp: Uint8Array): Uint8Array<ArrayBuffer> {
    const begins = this.#isMidLine ? [] : [0];
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) begins.push(at + 1);
    if (begins.at(-1) === bytes.length) begins.pop();
    const stamped = new Uint8Array(bytes.length + begins.length * stamp.length);
    let [from, to] = [0, 0];
    const copyUntil = (end: number) => {
      stamped.set(bytes.subarray(from, end), to);
      to += end - from;
      from = end;
    };
    for (const begin of begins) {
      copyUntil(begin);
      stamped.set(stamp, to);
      to += stamp.length;
    }
    copyUntil(bytes.length);
    if (bytes.length > 0) this.#isMidLine = bytes.at(-1) !== NEWLINE;
    return stamped;
  }
}
