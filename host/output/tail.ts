/** How many bytes of a stream are kept. A process that died holds two such ends, and 32 events: 12 KiB at most. */
const MAX_BYTES = 2048;

const NOTHING = new Uint8Array(0);

/** The end of a stream of text: at most 2 KiB. */
export class Tail {
  #bytes = NOTHING;

  /** Adds the next bytes. They are copied. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const kept = this.#bytes.subarray(Math.max(0, this.#bytes.length + bytes.length - MAX_BYTES));
    const added = bytes.subarray(Math.max(0, bytes.length - MAX_BYTES));
    const joined = new Uint8Array(kept.length + added.length);
    joined.set(kept);
    joined.set(added, kept.length);
    this.#bytes = joined;
  }

  /** Returns the last lines, the last one last. The first may be the end of a longer one. */
  lines(max: number): string[] {
    const text = new TextDecoder().decode(this.#bytes);
    const lines = text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines.slice(-max).map((line) => line.replace(/\r$/, ""));
  }

  /** Creates the end of a stream from its lines. */
  static of(lines: readonly string[]): Tail {
    const tail = new Tail();
    tail.push(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
    return tail;
  }
}
