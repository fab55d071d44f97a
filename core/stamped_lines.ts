const NEWLINE = 0x0a;

/** Puts a stamp at the beginning of each line that is written to a place. */
export class StampedLines {
  #isMidLine = false;

  /**
   * Returns the next bytes of the place, with a stamp before each line that begins among them.
   *
   * @param stamp The stamp. Null: none, for these bytes.
   */
  push(bytes: Uint8Array, stamp: Uint8Array | null): Uint8Array {
    if (bytes.length === 0) return bytes;
    const wasMidLine = this.#isMidLine;
    this.#isMidLine = bytes.at(-1) !== NEWLINE;
    if (stamp === null) return bytes;
    const begins = wasMidLine ? [] : [0];
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) begins.push(at + 1);
    if (begins.at(-1) === bytes.length) begins.pop();
    const stamped = new Uint8Array(bytes.length + begins.length * stamp.length);
    let [from, to] = [0, 0];
    for (const begin of begins) {
      stamped.set(bytes.subarray(from, begin), to);
      to += begin - from;
      from = begin;
      stamped.set(stamp, to);
      to += stamp.length;
    }
    stamped.set(bytes.subarray(from), to);
    return stamped;
  }
}
