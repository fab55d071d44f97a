import { SlowClientError } from "@ncolony/host";

/** How much may wait for a client that reads slowly, in bytes. */
const MAX_WAITING = 1024 * 1024;

/** Formats a server-sent event. The data must be one line. A client that connects again tells the last id. */
export function formatEvent(event: string, data: string, id?: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${data}\n\n`);
}

/** Shows the client that the stream lives. A comment would not: browsers do not tell scripts about them. */
const BEAT = formatEvent("beat", "{}");

/** A response that goes on: server-sent events for one client. */
export class EventStream {
  /** The body of the response. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #onEnd: () => void;
  #controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  #isOver = false;
  /** Whether something waited at the last beat. */
  #isStuck = false;

  /** Creates a stream. `onEnd` is called once, when nobody reads it any more. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
    this.body = new ReadableStream({
      start: (controller) => void (this.#controller = controller),
      cancel: () => this.#end(),
    }, { highWaterMark: 0, size: (chunk) => chunk!.byteLength });
  }

  /** Whether nobody reads it any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sends an event. A client that is too slow for it is dropped: it will connect again, and see how things are then. */
  send(event: Uint8Array<ArrayBuffer>): void {
    if (this.#isOver) return;
    this.#controller.enqueue(event);
    if (this.#waiting > MAX_WAITING) this.#drop();
  }

  /** Shows the client that the stream lives. A client that has taken nothing since the last beat is dropped. */
  beat(): void {
    if (this.#isOver) return;
    if (this.#isStuck && this.#waiting > 0) return this.#drop();
    this.#isStuck = this.#waiting > 0;
    this.send(BEAT);
  }

  /** Ends it in order. */
  close(): void {
    if (this.#isOver) return;
    this.#controller.close();
    this.#end();
  }

  /** How many bytes the client has not taken. */
  get #waiting(): number {
    return -(this.#controller.desiredSize ?? 0);
  }

  #drop(): void {
    this.#controller.error(new SlowClientError("reads too slowly"));
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd();
  }
}

/** All streams that are open, of which there may only be so many. */
export class Streams {
  readonly #max: number;
  readonly #open = new Set<EventStream>();

  /** Creates a set without a stream. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Opens a stream. Null if there are too many. */
  open(onEnd: () => void = () => {}): EventStream | null {
    if (this.#open.size >= this.#max) return null;
    const stream = new EventStream(() => {
      this.#open.delete(stream);
      onEnd();
    });
    this.#open.add(stream);
    return stream;
  }

  /** Shows all clients that their streams live. */
  beat(): void {
    for (const stream of this.#open) stream.beat();
  }

  /** Ends all streams. */
  close(): void {
    for (const stream of this.#open) stream.close();
  }
}
