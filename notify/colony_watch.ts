import { Incidents, type JsonObject, type NoticeKind, parseObject, type ToldEvent } from "@ncolony/core";
import type { Clock } from "@ncolony/host";
import { EventReader, StatusReader } from "@ncolony/host/read-tool";

/** The threshold of a monitor that does not say, in milliseconds. */
const DEFAULT_THRESHOLD_MS = 1000;

/** What {@linkcode ColonyWatch} needs. */
export interface ColonyWatchOptions {
  /** The status directory. */
  readonly status: string;
  /** Which events are reported. */
  readonly on: readonly NoticeKind[];
  /** The processes that are reported. Undefined: all. */
  readonly names?: readonly string[] | undefined;
  /** The time. */
  readonly clock: Clock;
}

/** Watches a colony, and returns what must be told. */
export class ColonyWatch {
  readonly #options: ColonyWatchOptions;
  readonly #status: StatusReader;
  #reader: EventReader | null = null;
  #incidents = new Incidents();
  /** The id of the last event. Null before the first start ever. */
  #lastId: number | null = null;
  #thresholdMs = DEFAULT_THRESHOLD_MS;

  /** Creates a watch. Nothing is read yet. */
  constructor(options: ColonyWatchOptions) {
    this.#options = options;
    this.#status = new StatusReader(options.status);
  }

  /** Goes on from what {@linkcode memory} returned. @throws {Error} If the text is something else. */
  restore(text: string): void {
    const saved = parseObject(text, (reason) => new Error(reason));
    if (typeof saved.id !== "number") throw new Error("has no id");
    this.#lastId = saved.id;
    this.#incidents = new Incidents(saved);
  }

  /**
   * Returns what must be told since the last call; at first, what happened since it was remembered. If nothing is
   * remembered, it begins with what happens from now on.
   *
   * @throws {Error} If the events cannot be read. It can be called again later.
   */
  read(): ToldEvent[] {
    const told = this.#reader === null ? this.#begin() : this.#told(this.#reader.more());
    const passed = this.#incidents.isWaiting ? this.#incidents.pass(this.#options.clock.wall(), this.#thresholdMs) : [];
    return [...told, ...passed].filter((event) => this.#isWanted(event));
  }

  /** Returns what must be remembered when all events that were returned have been told. Null before any were read. */
  memory(): string | null {
    if (this.#reader === null) return null;
    return JSON.stringify({ version: 1, id: this.#lastId ?? 0, ...this.#incidents.json() });
  }

  /** Whether no monitor runs. */
  get isAlone(): boolean {
    return this.#status.isAlive() === false;
  }

  /** Closes what it reads. */
  close(): void {
    this.#reader?.close();
  }

  #begin(): ToldEvent[] {
    const isKnown = this.#lastId !== null;
    const reader = new EventReader(this.#options.status);
    const told = [...this.#told(reader.since(this.#lastId ?? 0)), ...this.#incidents.compare(reader.reports)];
    if (reader.isAlive === false) told.push(...this.#incidents.missMonitor(this.#options.clock.wall()));
    this.#reader = reader;
    this.#lastId ??= 0;
    if (isKnown) return told;
    this.#incidents.untell();
    return [];
  }

  #told(events: readonly ToldEvent[]): ToldEvent[] {
    if (events.length > 0) this.#readThreshold();
    this.#lastId = events.findLast(({ id }) => id !== null)?.id ?? this.#lastId;
    return events.flatMap((event) => this.#incidents.add(event, this.#thresholdMs));
  }

  #readThreshold(): void {
    try {
      const { threshold }: JsonObject = this.#status.json(".monitor") ?? {};
      if (typeof threshold === "number") this.#thresholdMs = threshold * 1000;
    } catch {
      // It stays what it was.
    }
  }

  #isWanted({ event, name }: ToldEvent): boolean {
    const { on, names } = this.#options;
    return on.some((kind) => kind === event) && (name === null || names === undefined || names.includes(name));
  }
}
