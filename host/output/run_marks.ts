/**
 * Marks the start and the end of one child in its log. The end is marked when the child has exited and all that it wrote
 * is written, or else when the next one starts.
 */
export class RunMarks {
  readonly #write: (text: string) => void;
  readonly #start: number;
  #how: string | null = null;
  #isDrained = false;
  #isOver = false;

  /** Marks the start. `write` adds a line to the log. */
  constructor(start: number, write: (text: string) => void) {
    this.#start = start;
    this.#write = write;
    write(`start ${start}`);
  }

  /** Whether the end is marked. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The child has exited. */
  exited(how: string): void {
    this.#how = how;
    if (this.#isDrained) this.finish();
  }

  /** All that the child wrote is written. */
  drained(): void {
    this.#isDrained = true;
    if (this.#how !== null) this.finish();
  }

  /** Marks the end, if it is known and not marked. */
  finish(): void {
    if (this.#isOver || this.#how === null) return;
    this.#isOver = true;
    this.#write(`end of start ${this.#start}: ${this.#how}`);
  }
}
