import { formatMonitorEvent } from "@ncolony/core";
import { type Clock, type Log, sha256, type StatusFiles, TimeSlice, type Usage } from "@ncolony/host";
import type { Statuses } from "./statuses.ts";
import { WaitingEvents } from "./waiting_events.ts";

/** How long a change waits for others, in milliseconds. A command that does not exist has failed by then. */
const DELAY_MS = 40;

/** What {@linkcode StatusWriter} needs. */
export interface StatusWriterOptions {
  /** The files. */
  readonly files: StatusFiles;
  /** What is written. */
  readonly statuses: Statuses;
  /** The time. */
  readonly clock: Clock;
  /** The log. */
  readonly log: Pick<Log, "info" | "warn">;
  /** A process that exits sooner than this after its start has crashed, in milliseconds. */
  readonly thresholdMs: number;
  /** The pid of the monitor. */
  readonly pid: number;
  /** Returns the content of `STATUS/.monitor`. */
  readonly monitor: () => object;
  /** Yields what each process uses. */
  readonly usages: () => Iterable<readonly [name: string, usage: Usage | null]>;
}

/**
 * Writes the status directory, a moment after each change, so that nothing waits for it. If that fails, the first fault
 * is logged, and all is written again at the next full scan.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #directory: string;
  readonly #events: WaitingEvents;
  readonly #changed = new Set<string>();
  readonly #hashes = new Map<string, { readonly source: string; readonly hash: string }>();
  /** The id of the last event of the monitor itself. */
  #lastEvent: number | null = null;
  #cancel: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();
  #hasFault = false;
  #isCleared = false;

  /** Creates a writer. */
  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#events = new WaitingEvents(() => options.clock.wall());
    this.#directory = `the status directory ${JSON.stringify(options.files.path)}`;
  }

  /** Locks the directory. */
  async open(): Promise<void> {
    this.#logFault(await this.#options.files.lock());
    this.#events.goOnFrom(this.#options.files.lastEventId());
    this.#recordOwn("monitor-started");
    this.tell();
  }

  /** Has an event recorded soon. Returns its id. */
  record(name: string | null, event: string): number {
    const id = this.#events.add(name, event);
    if (this.#events.isEnough && !this.#hasFault) this.#logFault(this.#recordEvents());
    this.#writeSoon();
    return id;
  }

  /** Has the files of a process written soon. */
  touch(name: string): void {
    this.#changed.add(name);
    this.#writeSoon();
  }

  /** Writes about the monitor itself, and what could not be written before. Called when a full scan was acted on. */
  scanned(): void {
    const { files, statuses, log } = this.#options;
    const wasHeld = files.isHeld;
    const isWhole = wasHeld && !this.#hasFault;
    const fault = files.restore() ?? this.#clear() ?? this.#writeMonitor() ?? this.#goOn(wasHeld);
    this.#writing = this.#writing.then(() => this.#writeUsage());
    if (fault !== null) return this.#logFault(fault);
    if (isWhole) return;
    if (this.#hasFault) log.info(`${this.#directory} is up to date again`);
    this.#hasFault = false;
    for (const { name } of statuses.all()) this.touch(name);
  }

  /** Writes about the monitor itself. */
  tell(): void {
    this.#logFault(this.#writeMonitor());
  }

  /** Writes the rest, and releases the lock. */
  async close(): Promise<void> {
    this.#recordOwn("monitor-stopped");
    this.#cancel?.();
    await this.#write();
    this.tell();
    this.#options.files.close();
  }

  /** Records what waits, after what another monitor may have recorded until it gave back the lock. */
  #goOn(wasHeld: boolean): string | null {
    if (!wasHeld) this.#events.goOnFrom(this.#options.files.lastEventId());
    return this.#recordEvents();
  }

  #recordEvents(): string | null {
    return this.#events.flush((lines) => this.#options.files.record(lines));
  }

  #recordOwn(event: "monitor-started" | "monitor-stopped"): void {
    const { pid, clock } = this.#options;
    this.#lastEvent = this.record(null, formatMonitorEvent(event, pid, clock.wall()));
  }

  /** Removes, once, what an earlier monitor wrote about processes that are no longer configured. */
  #clear(): string | null {
    if (this.#isCleared) return null;
    const { files, statuses } = this.#options;
    const names = files.names();
    if (typeof names === "string") return names;
    const faults = names.filter((name) => !statuses.has(name)).map((name) => files.remove(name));
    this.#isCleared = true;
    return faults.find((fault) => fault !== null) ?? null;
  }

  #writeMonitor(): string | null {
    const { files, monitor } = this.#options;
    return files.writeOwn(".monitor", JSON.stringify({ ...monitor(), last_event: this.#lastEvent }));
  }

  async #writeUsage(): Promise<void> {
    const { files, clock, usages } = this.#options;
    const used: Record<string, object> = Object.create(null);
    const slice = new TimeSlice(clock);
    for (const [name, usage] of usages()) {
      if (usage !== null) {
        const { memoryBytes, cpuSeconds, processes } = usage;
        used[name] = { memory: memoryBytes, cpu_seconds: cpuSeconds, processes };
      }
      if (slice.isOver) await slice.yield();
    }
    this.#logFault(files.writeOwn(".usage", JSON.stringify(used)));
  }

  #writeSoon(): void {
    this.#cancel ??= this.#options.clock.after(DELAY_MS, () => {
      this.#cancel = null;
      this.#write();
    });
  }

  #write(): Promise<void> {
    return this.#writing = this.#writing.then(() => this.#writeChanged());
  }

  async #writeChanged(): Promise<void> {
    const { files, statuses, clock, thresholdMs } = this.#options;
    const slice = new TimeSlice(clock);
    this.#logFault(this.#recordEvents());
    for (const name of this.#changed) {
      const { source } = statuses.get(name);
      const hash = await this.#hash(name, source);
      // It was started with another config meanwhile.
      if (statuses.get(name).source !== source) {
        this.touch(name);
        continue;
      }
      this.#changed.delete(name);
      const { state } = statuses.get(name);
      // The file must not show the result of an event that is not recorded.
      this.#logFault(this.#recordEvents());
      this.#logFault(files.write(name, statuses.texts(name, thresholdMs, hash)));
      // If its config comes back, the files tell how it was.
      if (state === "removed") {
        statuses.forget(name);
        this.#hashes.delete(name);
      }
      if (slice.isOver) await slice.yield();
    }
  }

  async #hash(name: string, source: string | null): Promise<string | null> {
    if (source === null) return null;
    const known = this.#hashes.get(name);
    if (known?.source === source) return known.hash;
    const hash = await sha256(source);
    this.#hashes.set(name, { source, hash });
    return hash;
  }

  #logFault(fault: string | null): void {
    if (fault === null || this.#hasFault) return;
    this.#hasFault = true;
    this.#options.log.warn(`cannot keep ${this.#directory} up to date: ${fault}`);
  }
}
