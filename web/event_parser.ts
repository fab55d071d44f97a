/** A server-sent event. */
export interface ServerEvent {
  /** What kind of event it is. */
  readonly event: string;
  /** What it says. */
  readonly data: string;
}

/** Cuts a stream of text into server-sent events, as the servers of this project write them. */
export class EventParser {
  readonly #maxLength: number;
  /** The beginning of an event. It is joined once its end is there, since joining takes as long as it is. */
  #parts: string[] = [];
  #length = 0;

  /** Creates a parser that holds at most so many characters. */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** Yields the events that end in a text. @throws {Error} If one is too long. */
  *push(text: string): Generator<ServerEvent> {
    const last = this.#parts.at(-1)?.at(-1) ?? "";
    this.#parts.push(text);
    this.#length += text.length;
    if (this.#length > this.#maxLength) throw new Error("an event is too long");
    if (!`${last}${text}`.includes("\n\n")) return;
    const blocks = this.#parts.join("").split("\n\n");
    this.#parts = [blocks.pop()!].filter((rest) => rest !== "");
    this.#length = this.#parts[0]?.length ?? 0;
    for (const block of blocks) {
      const [event, data] = ["event", "data"].map((field) => new RegExp(`^${field}: (.*)$`, "m").exec(block)?.[1]);
      if (event !== undefined && data !== undefined) yield { event, data };
    }
  }
}
