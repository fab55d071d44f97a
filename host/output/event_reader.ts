import { monitorGone, parseRecorded, type RecordedEvent, type ToldEvent } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { denoClock } from "../clock.ts";
import { HealthChanges } from "../files/health_changes.ts";
import { idOf } from "../files/lstat.ts";
import { StatusReader } from "../files/status_reader.ts";
import { LogReader } from "./log_reader.ts";

/**
 * Reads the events of a colony from its status directory: first, once, those that are recorded, and then, again and
 * again, what happened since. No recorded event is returned twice, and none is lost, unless more than 1 MiB was recorded
 * since the last call.
 *
 * It also notices what nobody records: that a checker finds a process unhealthy, or healthy again, if it has not changed
 * its mind again before the next call; and that the monitor is gone without having stopped.
 */
export class EventReader {
  readonly #status: StatusReader;
  readonly #log: LogReader;
  readonly #health: HealthChanges;
  #lastId = 0;
  #isAlive: boolean | null = null;
  #reports: readonly ToldEvent[] = [];
  /** Whether the last event of the monitor itself is that it has stopped. */
  #hasStopped = false;

  /** Creates a reader. `path` is the status directory, which does not have to exist yet. */
  constructor(path: string) {
    this.#status = new StatusReader(path);
    this.#log = new LogReader(join(path, ".events"));
    this.#health = new HealthChanges(this.#status);
  }

  /**
   * Returns the recorded events after one. Call this once, before {@linkcode more}.
   *
   * @param id The id of that event. 0: all events. Null: none, so that only what happens from now on is read.
   * @throws {Error} If they cannot be read.
   */
  since(id: number | null): RecordedEvent[] {
    this.#reports = this.#health.changes();
    this.#isAlive = this.#lives();
    const newest: RecordedEvent[] = [];
    for (const event of parsed(this.#log.backward())) {
      // An id may be of a time that the clock has not reached again, and of events that are lost.
      if (newest.length === 0) this.#lastId = Math.min(id ?? Infinity, event.id);
      if (event.id <= this.#lastId) break;
      newest.push(event);
    }
    return this.#unseen(newest.reverse());
  }

  /** What checkers had found when {@linkcode since} was called, as events, to compare it with what was known before. */
  get reports(): readonly ToldEvent[] {
    return this.#reports;
  }

  /** Whether the monitor lives, as of the last call. Null if that cannot be seen. */
  get isAlive(): boolean | null {
    return this.#isAlive;
  }

  /**
   * Returns what happened since the last call, the oldest first.
   *
   * @throws {Error} If it cannot be read. It can be called again later.
   */
  more(): ToldEvent[] {
    const recorded = this.#unseen(parsed(this.#log.more()));
    const events = [...recorded, ...this.#health.changes()];
    const wasAlive = this.#isAlive;
    this.#isAlive = this.#lives() ?? wasAlive;
    if (wasAlive !== true || this.#isAlive !== false) return events;
    // What it recorded just before its end.
    events.push(...this.#unseen(parsed(this.#log.more())));
    return this.#hasStopped ? events : [...events, monitorGone(denoClock.wall())];
  }

  /** Closes what it reads. */
  close(): void {
    this.#log.close();
  }

  /** Whether the monitor lives. Null if that cannot be seen, as in a directory that was removed and is made again. */
  #lives(): boolean | null {
    return idOf(join(this.#status.path, ".lock")) === null ? null : this.#status.isAlive();
  }

  /** Leaves out what was written again, because a full disk kept the monitor from writing all of it. */
  #unseen(events: Iterable<RecordedEvent>): RecordedEvent[] {
    return [...events].filter(({ id, name, event }) => {
      if (id <= this.#lastId) return false;
      this.#lastId = id;
      if (name === null) this.#hasStopped = event === "monitor-stopped";
      return true;
    });
  }
}

function* parsed(lines: Iterable<Uint8Array>): Generator<RecordedEvent> {
  const decoder = new TextDecoder();
  for (const line of lines) {
    const event = parseRecorded(decoder.decode(line));
    if (event !== null) yield event;
  }
}
