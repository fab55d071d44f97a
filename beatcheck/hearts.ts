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

/** A process whose heart is silent. */
export interface Silent {
  /** Its name. */
  readonly name: string;
  /** The period in which it should have beaten, in milliseconds. */
  readonly periodMs: number;
}

/** The hearts that the configs name. */
export class Hearts {
  readonly #directory: Directory;
  readonly #log: Log;
  readonly #beats = new Map<string, Beat>();
  /** The names of the processes whose configs name a status: all of a colony may name one directory. */
  readonly #byStatus = new Map<string, Set<string>>();
  readonly #knownFaults = new KnownFaults();
  readonly #shared = new KnownFaults();

  /** Makes one that knows of none. */
  constructor(directory: Directory, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  /** Takes what becomes of a process. */
  onEvent(name: string, event: ProcessEvent): void {
    this.#forget(name);
    for (const faults of [this.#knownFaults, this.#shared]) faults.note(name, null);
    if (event.type !== "wanted") return;
    try {
      const beat = parseBeat(name, event.spec.source);
      if (beat !== null) this.#know(name, beat);
    } catch (error) {
      if (!(error instanceof SpecError)) throw error;
      this.#log.warn(`its heart is not checked: ${error.reason}`, name);
    }
  }

  /**
   * Those that must be restarted.
   *
   * @param startedAt When the checker was started, in milliseconds since 1970, as all times.
   * @param now The time.
   * @param askedAt When it asked for the restart of which process.
   * @param bornAtOf When a process started; null where that is not known.
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
      // One that is going: the next look at the configs will tell.
      if (stamp === null) continue;
      const times = { changedAt: stamp.changedMs, startedAt, askedAt: askedAt.get(name) ?? null };
      // Whoever has its grace is not looked at.
      if (!isStale(beat, { ...times, bornAt: null, beatAt: null }, now)) continue;
      if (this.#isSilent(name, beat, { ...times, bornAt: bornAtOf(name) }, now)) {
        silent.push({ name, periodMs: beat.periodMs });
      }
    }
    return silent;
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

  /** Says of which other process this is the heart as well: where a directory was meant, which is not there, for instance. */
  #warnOfShared(name: string, { status }: Beat): void {
    const other = this.#byStatus.get(status)?.values().find((it) => it !== name);
    // In a directory each has a file of its own.
    const isShared = other !== undefined && statusFile(status, name) === status;
    const fault = isShared
      ? `its heartbeat file ${JSON.stringify(shownText(status))} is that of ${shownName(other)} too: no directory`
      : null;
    if (this.#shared.note(name, fault) && fault !== null) this.#log.warn(fault, name);
  }

  #isSilent(name: string, beat: Beat, times: Omit<BeatTimes, "beatAt">, now: number): boolean {
    if (!isStale(beat, { ...times, beatAt: null }, now)) return false;
    try {
      const beatAt = lastBeat(beat.status, name);
      this.#warnOfShared(name, beat);
      this.#knownFaults.note(name, null);
      return isStale(beat, { ...times, beatAt }, now);
    } catch (error) {
      const fault = `cannot see its heartbeat at ${JSON.stringify(shownText(beat.status))}: ${faultOf(error)}`;
      if (this.#knownFaults.note(name, fault)) this.#log.error(fault, name);
      return false;
    }
  }
}
