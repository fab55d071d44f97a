import { denoClock } from "@ncolony/host";
import { ASSETS_PATH } from "./assets.ts";
import { type EventStream, formatEvent, Streams } from "./streams.ts";

/** How many clients may follow something at once. */
const MAX_STREAMS = 200;

/** How much of what changed is kept for clients that connect again, in bytes. */
const MAX_KEPT = 262_144;

/** A colony on a page: this one, or that of a peer. */
export interface Shown {
  /** The name of the peer. Null: this one. */
  readonly host: string | null;
  /** Returns all that the page shows of it, as a JSON object. */
  snapshot(): string;
}

/** What changed in a colony. */
interface Change {
  readonly host: string | null;
  readonly event: Uint8Array<ArrayBuffer>;
}

/** Tells all clients what changed. Changes are counted, so that a client knows whether it has missed one. */
export class Hub {
  readonly #colonies: readonly Shown[];
  readonly #streams = new Streams(MAX_STREAMS);
  /** The clients that follow colonies, and whether they want to know of this one alone. */
  readonly #followers = new Map<EventStream, boolean>();
  /** Which start of this program this is. */
  readonly #boot: string = crypto.randomUUID();
  #count = 0;
  /** The last changes, the newest last. */
  readonly #kept: Change[] = [];
  #keptBytes = 0;

  /** Creates a hub without clients. The first colony is that of this host. */
  constructor(colonies: readonly Shown[]) {
    this.#colonies = colonies;
  }

  /** All streams, including those of logs. */
  get streams(): Streams {
    return this.#streams;
  }

  /** Returns what a page shows first, as JSON. `isOwn`: without peers. */
  snapshot(isOwn: boolean): string {
    const shown = isOwn ? this.#colonies.slice(0, 1) : this.#colonies;
    const colonies = shown.map((colony) => inHost(colony.host, colony.snapshot()));
    return `{"version":1,${this.#state()},"colonies":[${colonies.join(",")}]}`;
  }

  /**
   * Lets a client follow what changes. It is told first what has changed since the last time, or that it must ask for
   * all.
   *
   * @param isOwn Whether it wants to know of this colony alone.
   * @param since The id of the last change that it knows. Null: it knows nothing.
   * @returns Null if there are too many clients.
   */
  follow(isOwn: boolean, since: string | null): EventStream | null {
    const stream: EventStream | null = this.#streams.open(() => this.#followers.delete(stream!));
    if (stream === null) return null;
    this.#followers.set(stream, isOwn);
    const missed = this.#missedSince(since);
    stream.send(
      formatEvent("hello", `{"version":1,${this.#state()},"page":"${ASSETS_PATH}","all":${missed === null}}`),
    );
    for (const { host, event } of missed ?? []) if (host === null || !isOwn) stream.send(event);
    return stream;
  }

  /** Tells all clients what changed in a colony. */
  publish(host: string | null, change: string): void {
    const count = ++this.#count;
    const data = `{"version":1,${this.#state()},${inHost(host, change).slice(1)}`;
    const event = formatEvent("change", data, `${this.#boot}.${count}`);
    for (const [stream, isOwn] of this.#followers) if (host === null || !isOwn) stream.send(event);
    this.#kept.push({ host, event });
    this.#keptBytes += event.length;
    while (this.#keptBytes > MAX_KEPT) this.#keptBytes -= this.#kept.shift()!.event.length;
  }

  /** Returns the changes after the one with this id. Null if some of them are not kept. */
  #missedSince(id: string | null): readonly Change[] | null {
    const [, boot, digits] = /^(.+)\.(\d+)$/.exec(id ?? "") ?? [];
    const count = Number(digits);
    const oldest = this.#count - this.#kept.length;
    if (boot !== this.#boot || count < oldest || count > this.#count) return null;
    return this.#kept.slice(count - oldest);
  }

  #state(): string {
    return `"boot":"${this.#boot}","count":${this.#count},"now":${denoClock.wall()}`;
  }
}

function inHost(host: string | null, object: string): string {
  return `{"host":${JSON.stringify(host)},${object.slice(1)}`;
}
