import { fileNameFault, healthEvent, type ToldEvent } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { denoClock } from "../clock.ts";
import type { FileStamp } from "../types.ts";
import { isSameStamp, RACY_MS, stampOf } from "./file_stamp.ts";
import { lstat } from "./lstat.ts";
import type { StatusReader } from "./status_reader.ts";

/** The programs that report health. */
const CHECKERS = ["beatcheck", "httpcheck", "scheduler"];

/** The most files of one checker. It may run as another user. */
const MAX_FILES = 100_000;

/** A look is followed by a pause of so many times its length. */
const PAUSE = 20;

/** A file in which a checker reports the health of a process. */
interface Report {
  readonly stamp: FileStamp | null;
  /** What it last found. Null: nothing yet. */
  readonly isHealthy: boolean | null;
}

/** A directory of reports. */
interface Reports {
  readonly stamp: FileStamp | null;
  /** Whether a later change gives the directory another stamp. */
  readonly isSettled: boolean;
  readonly files: ReadonlyMap<string, Report>;
}

/** Notices when a checker finds a process unhealthy, or healthy again. Looks take at most a twentieth of the time. */
export class HealthChanges {
  readonly #reader: StatusReader;
  readonly #known = new Map<string, Reports>();
  #nextAt = -Infinity;

  /** Creates a reader of what checkers report. */
  constructor(reader: StatusReader) {
    this.#reader = reader;
  }

  /** Returns what changed since the last call. The first call returns all that is known. */
  changes(): ToldEvent[] {
    const now = denoClock.now();
    if (now < this.#nextAt) return [];
    const events = CHECKERS.flatMap((checker) => [...this.#changesOf(checker)]);
    const end = denoClock.now();
    this.#nextAt = end + PAUSE * (end - now);
    return events;
  }

  *#changesOf(checker: string): Generator<ToldEvent> {
    const directory = join(this.#reader.path, `.${checker}`);
    const known = this.#known.get(checker);
    const stamp = stampIfThere(directory);
    if (known !== undefined && known.isSettled && isSameStamp(stamp, known.stamp)) return;
    const isSettled = stamp === null || denoClock.wall() - stamp.changedMs > RACY_MS;
    const files = new Map<string, Report>();
    this.#known.set(checker, { stamp, isSettled, files });
    for (const name of namesOf(directory)) {
      const before = known?.files.get(name);
      const now = stampIfThere(join(directory, name));
      if (before !== undefined && isSameStamp(now, before.stamp)) {
        files.set(name, before);
        continue;
      }
      const health = this.#reader.health(checker, name);
      // What is unknown for a while, as during a restart, is no change.
      const isHealthy = health?.isHealthy ?? before?.isHealthy ?? null;
      files.set(name, { stamp: now, isHealthy });
      const isNews = isHealthy !== (before?.isHealthy ?? null);
      if (health !== null && isNews) yield healthEvent(checker, name, health);
    }
  }
}

/** Returns the names of the reports in a directory. None if it cannot be read. */
function namesOf(directory: string): string[] {
  const names: string[] = [];
  try {
    for (const { name } of Deno.readDirSync(directory)) {
      if (fileNameFault(name) === null) names.push(name);
      if (names.length === MAX_FILES) break;
    }
  } catch {
    // There is no such checker, or its files are not for this user.
  }
  return names;
}

function stampIfThere(path: string): FileStamp | null {
  try {
    const info = lstat(path);
    return info === null ? null : stampOf(info);
  } catch {
    // As above.
    return null;
  }
}
