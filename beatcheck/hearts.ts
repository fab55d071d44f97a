import {
  type Beat,
  type BeatTimes,
  isStale,
  parseBeat,
  type ProcessEvent,
  shownName,
  shownText,
  SpecError,
} from "@ncolony/core";
import { type Directory, faultOf, KnownFaults, lastBeat, type Log, statusFile } from "@ncolony/host";

/** A process whose heartbeat is overdue. */
export interface Silent {
  /** The name of the process. */
  readonly name: string;
  /** How often it must beat, in milliseconds. */
  readonly periodMs: number;
}

/** When a process beat last. */
export interface LastBeat {
  /** The name of the process. */
  readonly name: string;
  /** How often it must beat, in milliseconds. */
  readonly periodMs: number;
  /** When, in milliseconds since 1970; null: never. */
  readonly beatAt: number | null;
  /** Why that cannot be seen. Null if it can. */
  readonly fault: string | null;
}

/** The heartbeats that the configs ask for. */
export class Hearts {
  readonly #directory: Directory;
  readonly #log: Log;
  readonly #beats = new Map<string, Beat>();
  /** The names of processes by their `status`. All processes may share one directory. */
  readonly #byStatus = new Map<string, Set<string>>();
  readonly #knownFaults = new KnownFaults();
  readonly #shared = new KnownFaults();
  /** Why the heartbeat of a process is not checked. */
  readonly #refused = new Map<string, string>();

  /** Creates an empty table of heartbeats. */
  constructor(directory: Directory, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  /** Updates the heartbeat of a process after a change of its config. */
  onEvent(name: string, event: ProcessEvent): void {
    this.#forget(name);
    for (const faults of [this.#knownFaults, this.#shared]) faults.note(name, null);
    this.#refused.delete(name);
    if (event.type !== "wanted") return;
    try {
      const beat = parseBeat(name, event.spec.source);
      if (beat !== null) this.#know(name, beat);
    } catch (error) {
      if (!(error instanceof SpecError)) throw error;
      this.#log.warn(`heartbeat is not checked: ${error.reason}`, name);
      this.#refused.set(name, error.reason);
    }
  }

  /**
   * Returns the processes that must be restarted. All times are in milliseconds since 1970.
   *
   * @param startedAt When the checker was started.
   * @param now The time.
   * @param askedAt When the checker last requested a restart, by name of the process.
   * @param bornAtOf Returns when a process was started; null if unknown.
   */
  silent(
    startedAt: number,
    now: number,
    askedAt: ReadonlyMap<string, number>,
    bornAtOf: (name: string) => number | null = () => null,
  ): Silent[] {
    const silent: Silent[] = [];
    for (const [name, beat] of this.#beats) {
      const stamp = this.#directory.stamp(name);
      // The config is gone. The next scan will report that.
      if (stamp === null) continue;
      const times = { changedAt: stamp.changedMs, startedAt, askedAt: askedAt.get(name) ?? null };
      // During the grace, the pid file and the heartbeat file are not read.
      if (!isStale(beat, { ...times, bornAt: null, beatAt: null }, now)) continue;
      if (this.#isSilent(name, beat, { ...times, bornAt: bornAtOf(name) }, now)) {
        silent.push({ name, periodMs: beat.periodMs });
      }
    }
    return silent;
  }

  /** Whether a process must beat. */
  has(name: string): boolean {
    return this.#beats.has(name);
  }

  /** Returns why the heartbeat of a process is not checked. Null if it is, or none is asked for. */
  whyRefused(name: string): string | null {
    return this.#refused.get(name) ?? null;
  }

  /** Yields when each process beat last. */
  *all(): Generator<LastBeat> {
    for (const [name, beat] of this.#beats) yield this.#lastBeat(name, beat);
  }

  #know(name: string, beat: Beat): void {
    this.#beats.set(name, beat);
    this.#byStatus.set(beat.status, (this.#byStatus.get(beat.status) ?? new Set()).add(name));
  }

  #forget(name: string): void {
    const status = this.#beats.get(name)?.status;
    if (status === undefined) return;
    this.#beats.delete(name);
    const names = this.#byStatus.get(status);
    names?.delete(name);
    if (names?.size === 0) this.#byStatus.delete(status);
  }

  /** Warns if another process has the same heartbeat file, for example because `status` is a missing directory. */
  #warnOfShared(name: string, { status }: Beat): void {
    const other = this.#byStatus.get(status)?.values().find((it) => it !== name);
    // In a directory, each process has a file of its own.
    const isShared = other !== undefined && statusFile(status, name) === status;
    const fault = isShared
      ? `its heartbeat file ${JSON.stringify(shownText(status))} is also used by ` +
        `${shownName(other)}: make it a directory`
      : null;
    if (this.#shared.note(name, fault) && fault !== null) this.#log.warn(fault, name);
  }

  #isSilent(name: string, beat: Beat, times: Omit<BeatTimes, "beatAt">, now: number): boolean {
    if (!isStale(beat, { ...times, beatAt: null }, now)) return false;
    const { beatAt, fault } = this.#lastBeat(name, beat);
    return fault === null && isStale(beat, { ...times, beatAt }, now);
  }

  /** Looks up the last heartbeat. A fault is logged once. */
  #lastBeat(name: string, beat: Beat): LastBeat {
    const { status, periodMs } = beat;
    try {
      const beatAt = lastBeat(status, name);
      this.#warnOfShared(name, beat);
      this.#knownFaults.note(name, null);
      return { name, periodMs, beatAt, fault: null };
    } catch (error) {
      const fault = `cannot read heartbeat file ${JSON.stringify(shownText(status))}: ${faultOf(error)}`;
      if (this.#knownFaults.note(name, fault)) this.#log.error(fault, name);
      return { name, periodMs, beatAt: null, fault };
    }
  }
}
