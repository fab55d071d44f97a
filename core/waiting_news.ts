import type { ToldEvent } from "./event.ts";

/** How many events are kept, and how long they are together, in characters. */
const [MAX_EVENTS, MAX_LENGTH] = [1000, 262_144];

/** Events to tell, the oldest first. */
export interface News {
  /** The newest of them. */
  readonly events: readonly ToldEvent[];
  /** How many older ones there are, which were not kept. */
  readonly lost: number;
}

/** Events that wait to be told, in bounded memory. */
export class WaitingNews {
  #events: readonly { readonly event: ToldEvent; readonly length: number }[] = [];
  #lost = 0;

  /** How many there are. */
  get count(): number {
    return this.#events.length + this.#lost;
  }

  /** Adds events, which are newer than all others. */
  add(events: readonly ToldEvent[]): void {
    this.#keep([...this.#events, ...events.map(measured)]);
  }

  /** Returns all of them, and keeps none. */
  take(): News {
    const news = { events: this.#events.map(({ event }) => event), lost: this.#lost };
    [this.#events, this.#lost] = [[], 0];
    return news;
  }

  /** Takes back what could not be told. It is older than what has come since. */
  giveBack({ events, lost }: News): void {
    this.#lost += lost;
    this.#keep([...events.map(measured), ...this.#events]);
  }

  /** Keeps the newest that there is room for; at least one. */
  #keep(events: readonly { readonly event: ToldEvent; readonly length: number }[]): void {
    let from = events.length;
    for (let left = MAX_LENGTH; from > 0 && events.length - from < MAX_EVENTS; from--) {
      left -= events[from - 1]!.length;
      if (left < 0 && from < events.length) break;
    }
    this.#lost += from;
    this.#events = events.slice(from);
  }
}

function measured(event: ToldEvent): { readonly event: ToldEvent; readonly length: number } {
  return { event, length: JSON.stringify(event).length };
}
