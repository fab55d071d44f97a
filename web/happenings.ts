import { eventSentence, type JsonObject, type ToldEvent, visible } from "@ncolony/core";
import { faultOf } from "@ncolony/host";
import { EventReader } from "@ncolony/host/read-tool";

/** How many of the last events are kept. */
const MAX_KEPT = 50;

/** What happened in a colony, as the monitor records it. */
export class Happenings {
  readonly #reader: EventReader;
  #kept: JsonObject[] = [];
  #isBegun = false;
  #fault: string | null = null;

  /** Creates a reader that has read nothing yet. `status` is the status directory. */
  constructor(status: string) {
    this.#reader = new EventReader(status);
  }

  /** The last events, the newest last, each with a sentence. */
  get kept(): readonly JsonObject[] {
    return this.#kept;
  }

  /** Why they cannot be read. Null if they can. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Returns what happened since the last call, each event with a sentence. The first call returns nothing. */
  more(): readonly JsonObject[] {
    try {
      const events = (this.#isBegun ? this.#reader.more() : this.#reader.since(0)).slice(-MAX_KEPT).map(told);
      const wasBegun = this.#isBegun;
      this.#isBegun = true;
      this.#fault = null;
      this.#kept = [...this.#kept, ...events].slice(-MAX_KEPT);
      return wasBegun ? events : [];
    } catch (error) {
      this.#fault = faultOf(error);
      return [];
    }
  }

  /** Closes what it reads. */
  close(): void {
    this.#reader.close();
  }
}

function told(event: ToldEvent): JsonObject {
  return { ...event, sentence: visible(eventSentence(event)) };
}
