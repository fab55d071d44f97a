import type { OpenFile } from "../files/open.ts";

const NEWLINE = 0x0a;

/** How much is read at once, in bytes. */
export const BLOCK = 65_536;

/** A line of a log, without its newline. */
export type Line = Uint8Array<ArrayBuffer>;

/** Joins two arrays of bytes. */
export function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** Returns the position after the last newline of a file. */
export function endOfLastLine(file: OpenFile): number {
  const block = new Uint8Array(BLOCK);
  for (let end = file.now().size; end > 0;) {
    const start = Math.max(0, end - BLOCK);
    const length = file.read(block, 0, end - start, start);
    const at = block.subarray(0, length).lastIndexOf(NEWLINE);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}

/** Yields the lines of the first `size` bytes of a file, the last one first. */
export function* linesBackward(file: OpenFile, size: number): Generator<Line> {
  const block = new Uint8Array(BLOCK);
  let tail: Line = new Uint8Array(0);
  let isFirst = true;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - BLOCK);
    const length = file.read(block, 0, end - start, start);
    let to = length;
    // The newline at the end of the file begins no line.
    if (isFirst && block[length - 1] === NEWLINE) to--;
    isFirst = false;
    for (
      let at = block.subarray(0, to).lastIndexOf(NEWLINE);
      at >= 0;
      at = block.subarray(0, to).lastIndexOf(NEWLINE)
    ) {
      yield joined(block.subarray(at + 1, to), tail);
      tail = new Uint8Array(0);
      to = at;
    }
    tail = joined(block.subarray(0, to), tail);
    end = start;
  }
  if (!isFirst) yield tail;
}
