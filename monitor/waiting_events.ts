import { formatRecorded, nextEventId } from "@ncolony/core";

/** How much is kept while it cannot be recorded, and how much should wait at most otherwise, in characters. */
const [MAX_LENGTH, ENOUGH] = [262_144, 65_536];

/** Gives events their ids, and keeps those that are not yet recorded. */
export class WaitingEvents {
  readonly #wall: () => number;
  #lastId = 0;
  #lines: { readonly id: number; readonly line: string }[] = [];
  #length = 0;

  /** Creates a queue. `wall` returns the time, in milliseconds since 1970. */
  constructor(wall: () => number) {
    this.#wall = wall;
  }

  /** Whether so much waits that it should be recorded now. */
  get isEnough(): boolean {
    return this.#length > ENOUGH;
  }

  /** Goes on from the last event that an earlier monitor recorded. Events that waited meanwhile are too old. */
  goOnFrom(id: number): void {
    this.#lastId = Math.max(this.#lastId, id);
    while (this.#lines.length > 0 && this.#lines[0]!.id <= id) this.#drop();
  }

  /**
   * Adds an event. Returns its id.
   *
   * @param name The name of the process. Null if the event is about the monitor.
   * @param formatted The formatted event.
   */
  add(name: string | null, formatted: string): number {
    const id = this.#lastId = nextEventId(this.#lastId, this.#wall());
    const line = formatRecorded(id, name, formatted);
    this.#lines.push({ id, line });
    this.#length += line.length;
    while (this.#length > MAX_LENGTH) this.#drop();
    return id;
  }

  /** Records what waits. `record` returns why that fails, or null; then nothing waits any more. Returns the same. */
  flush(record: (lines: string) => string | null): string | null {
    if (this.#lines.length === 0) return null;
    const fault = record(this.#lines.map(({ line }) => line).join(""));
    if (fault === null) [this.#lines, this.#length] = [[], 0];
    return fault;
  }

  #drop(): void {
    this.#length -= this.#lines.shift()!.line.length;
  }
}
