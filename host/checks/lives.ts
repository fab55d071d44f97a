import { type Life, shownText, UNKNOWN_LIFE } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import { lstat } from "../files/lstat.ts";
import { readSmallFile } from "../files/open.ts";
import { KnownFaults } from "../known_faults.ts";
import type { Clock, Log } from "../types.ts";

/** No pid file is longer. */
const MAX_PID_BYTES = 100;

const DOWN: Life = { type: "down" };

/** What was seen of one process. */
interface Seen {
  /** Its pid file, which each start replaces; null where it had none. */
  readonly mark: string | null;
  /** What that says. */
  readonly pid: string | null;
  /** When it started, in the clock's milliseconds. */
  readonly since: number;
  /** When it was seen, likewise. */
  readonly at: number;
}

/** Which processes run, and since when, as a monitor's pid files tell: each is written when its process was started. */
export class Lives {
  readonly #path: string | null;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #seen = new Map<string, Seen>();
  readonly #knownFaults = new KnownFaults();

  /** Makes one that has seen nothing; without a directory it never will. */
  constructor(path: string | null, clock: Clock, log: Log) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
  }

  /** Whether anything can be seen. */
  get isKnown(): boolean {
    return this.#path !== null;
  }

  /** Looks at one. */
  of(name: string): Life {
    if (this.#path === null) {
      this.#logFault("there is no --pid DIR");
      return UNKNOWN_LIFE;
    }
    try {
      const file = lstat(join(this.#path, name));
      if (file === null) this.#seeThatItIsKept(this.#path);
      this.#logFault(null);
      return this.#take(name, file);
    } catch (error) {
      this.#logFault(faultOf(error));
      return UNKNOWN_LIFE;
    }
  }

  /** Forgets one that is not to be looked at again. */
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
    // The monitor writes a file again that was lost.
    const since = pid === before?.pid ? before.since : now - this.#ageOf(file, now - (before?.at ?? -Infinity));
    this.#seen.set(name, { mark, pid, since, at: now });
    return { type: "up", since };
  }

  /** How old a file is; no older than what it was not there before, for the wall clock may have jumped since. */
  #ageOf({ mtime }: Deno.FileInfo, sinceLastLookMs: number): number {
    const ageMs = Math.max(0, this.#clock.wall() - (mtime?.getTime() ?? -Infinity));
    return Math.min(ageMs, sinceLastLookMs);
  }

  /** Who has no pid file does not run, but only where a monitor keeps such files. @throws {Error} Where none does. */
  #seeThatItIsKept(path: string): void {
    // Python NColony keeps nothing else there.
    const isKept = [".lock", ".children"].some((name) => lstat(join(path, name)) !== null) ||
      Deno.readDirSync(path).some(({ name }) => !name.startsWith("."));
    if (!isKept) throw new Error("no monitor keeps its pid files there");
  }

  #logFault(fault: string | null): void {
    if (!this.#knownFaults.note("pids", fault)) return;
    const where = this.#path === null ? "" : ` from ${JSON.stringify(shownText(this.#path))}`;
    if (fault === null) return this.#log.info(`it is known again${where} when processes start`);
    this.#log.warn(
      `it is not known${where} when processes start, so the grace begins when a restart is asked for: ${fault}`,
    );
  }
}
