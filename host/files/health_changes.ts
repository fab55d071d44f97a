import { type Health, healthEvent, type ToldEvent } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { denoClock } from "../clock.ts";
import { KeptFiles } from "./kept_files.ts";
import { CHECKERS, type StatusReader } from "./status_reader.ts";

/** A look is followed by a pause of so many times its length. */
const PAUSE = 20;

/** What a checker, or schedulers, report. */
interface Reports {
  readonly checker: string;
  /** The health in each file. Null if that cannot be read. */
  readonly files: KeptFiles<{ readonly health: Health | null }>;
  /** What was last found. Null: nothing yet. */
  known: ReadonlyMap<string, boolean | null>;
}

/** Notices when a checker finds a process unhealthy, or healthy again. Looks take at most a twentieth of the time. */
export class HealthChanges {
  readonly #reports: readonly Reports[];
  #nextAt = -Infinity;

  /** Creates a reader of what checkers report. */
  constructor(reader: StatusReader) {
    this.#reports = [...CHECKERS, "scheduler"].map((checker) => {
      const names = () => reader.reportNames(checker);
      const read = (name: string) => ({ health: reader.health(checker, name) });
      return { checker, files: new KeptFiles(join(reader.path, `.${checker}`), names, read), known: new Map() };
    });
  }

  /** Returns what changed since the last call. The first call returns all that is known. */
  changes(): ToldEvent[] {
    const now = denoClock.now();
    if (now < this.#nextAt) return [];
    const events = this.#reports.flatMap(changesIn);
    const end = denoClock.now();
    this.#nextAt = end + PAUSE * (end - now);
    return events;
  }
}

function changesIn(reports: Reports): ToldEvent[] {
  const { checker, files, known } = reports;
  try {
    files.update(denoClock.wall());
  } catch {
    // This user may not see the files.
    return [];
  }
  const events: ToldEvent[] = [];
  reports.known = new Map(files.names.map((name) => {
    const before = known.get(name) ?? null;
    const { health } = files.get(name)!;
    // What is unknown for a while, such as during a restart, is not a change.
    const isHealthy = health?.isHealthy ?? before;
    if (health !== null && isHealthy !== before) events.push(healthEvent(checker, name, health));
    return [name, isHealthy];
  }));
  return events;
}
