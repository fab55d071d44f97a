import { type Life, shownText, UNKNOWN_LIFE } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import { lstat } from "../files/lstat.ts";
import { readSmallFile } from "../files/open.ts";
import { KnownFaults } from "../known_faults.ts";
import type { Clock, Log } from "../types.ts";

/** The longest pid file that is read, in bytes. */
const MAX_PID_BYTES = 100;

const DOWN: Life = { type: "down" };

/** What was seen of a process. */
interface Seen {
  /** Identifies its pid file, which each start replaces. Null if it had none. */
  readonly mark: string | null;
  /** The content of that file. */
  readonly pid: string | null;
  /** When it started, in the clock's milliseconds. */
  readonly since: number;
  /** When it was last seen, in the clock's milliseconds. */
  readonly at: number;
}

/** What a monitor's status tells about a process. */
export interface Told {
  /** Its pid. Null if it does not run. */
  readonly pid: number | null;
  /** When it was last started, in milliseconds since 1970. Null if never. */
  readonly started: number | null;
  /** The number of that start. */
  readonly incarnation: number;
  /** Whether it was started with the config that this program knows. */
  readonly isOfConfig: boolean;
}

/** A start of a process, according to the monitor. */
export interface Start {
  /** Its number. */
  readonly incarnation: number;
  /** When it was, in milliseconds since 1970. */
  readonly at: number;
  /** Whether it was with the config that this program knows. */
  readonly isOfConfig: boolean;
}

/** Which processes run, and since when, by a monitor's pid files: each is written when its process is started. */
export class Lives {
  readonly #path: string | null;
  readonly #told: (name: string) => Told | null;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #seen = new Map<string, Seen>();
  readonly #knownFaults = new KnownFaults();

  /**
   * Creates an instance. Without a directory of pid files, it never sees anything. `told` returns what the monitor's
   * status tells about a process, or null.
   */
  constructor(path: string | null, told: (name: string) => Told | null, clock: Clock, log: Log) {
    this.#path = path;
    this.#told = told;
    this.#clock = clock;
    this.#log = log;
  }

  /** Whether anything can be seen. */
  get isKnown(): boolean {
    return this.#path !== null;
  }

  /** Returns whether a process runs, and since when. */
  of(name: string): Life {
    if (this.#path === null) {
      this.#logFault("no --pid directory was given");
      return UNKNOWN_LIFE;
    }
    try {
      const file = lstat(join(this.#path, name));
      if (file === null) this.#checkIsKept(this.#path);
      this.#logFault(null);
      return this.#take(name, file);
    } catch (error) {
      this.#logFault(faultOf(error));
      return UNKNOWN_LIFE;
    }
  }

  /**
   * Returns which start of a process this is, by the monitor's status. The status is written a moment after the pid
   * file: null if they differ, or if nothing is known.
   */
  startOf(name: string): Start | null {
    const told = this.#told(name);
    if (told === null || told.pid === null || told.started === null) return null;
    const isThis = this.of(name).type === "unknown" || Number(this.#seen.get(name)?.pid) === told.pid;
    return isThis ? { incarnation: told.incarnation, at: told.started, isOfConfig: told.isOfConfig } : null;
  }

  /** Forgets a process. */
  forget(name: string): void {
    this.#seen.delete(name);
  }

  #take(name: string, file: Deno.FileInfo | null): Life {
    const [now, before] = [this.#clock.now(), this.#seen.get(name)];
    if (file === null || !file.isFile) {
      this.#seen.set(name, { mark: null, pid: null, since: now, at: now });
      return DOWN;
    }
    const mark = `${file.ino} ${file.mtime?.getTime()}`;
    const pid = mark === before?.mark ? before.pid : readSmallFile(join(this.#path!, name), MAX_PID_BYTES);
    if (pid === null) return this.#take(name, null);
    // The same pid in a new file is no new start: the monitor writes lost files again.
    const since = pid === before?.pid ? before.since : now - this.#ageOf(file, now - (before?.at ?? -Infinity));
    this.#seen.set(name, { mark, pid, since, at: now });
    return { type: "up", since };
  }

  /** Returns the age of a file, at most the time since the last check, because the wall clock may have jumped. */
  #ageOf({ mtime }: Deno.FileInfo, sinceLastMs: number): number {
    const ageMs = Math.max(0, this.#clock.wall() - (mtime?.getTime() ?? -Infinity));
    return Math.min(ageMs, sinceLastMs);
  }

  /** Checks that a monitor keeps pid files here. If not, a missing file means nothing. @throws {Error} If not. */
  #checkIsKept(path: string): void {
    // Python NColony keeps only pid files there.
    const isKept = [".lock", ".children"].some((name) => lstat(join(path, name)) !== null) ||
      Deno.readDirSync(path).some(({ name }) => !name.startsWith("."));
    if (!isKept) throw new Error("no monitor keeps pid files there");
  }

  #logFault(fault: string | null): void {
    if (!this.#knownFaults.note("pids", fault)) return;
    const where = this.#path === null ? "" : ` from ${JSON.stringify(shownText(this.#path))}`;
    if (fault === null) return this.#log.info(`process start times can be read again${where}`);
    this.#log.warn(
      `cannot read process start times${where}: ${fault}; a grace period begins when a restart is requested`,
    );
  }
}
