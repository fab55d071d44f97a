import {
  currentHealth,
  deathsOf,
  fileNameFault,
  type Health,
  type Job,
  type JsonObject,
  type Seen,
  type ToldProcess,
  type View,
} from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import { judged, readMonitor, withJob } from "./colony_view.ts";
import { KeptFiles } from "./kept_files.ts";
import { CHECKERS, type StatusReader } from "./status_reader.ts";

/** What is kept of a process: what its file tells, or why that cannot be read. */
type Kept = { readonly told: ToldProcess; readonly deaths: number } | { readonly unreadable: string };

/** How a colony is. Each file is read again only after it was replaced, so this may be asked often. */
export class ColonyCache {
  readonly #reader: StatusReader;
  readonly #processes: KeptFiles<Kept>;
  readonly #healths: ReadonlyMap<string, KeptFiles<Health>>;
  readonly #jobs: KeptFiles<Job>;

  /** Creates a cache that has read nothing yet. */
  constructor(reader: StatusReader) {
    this.#reader = reader;
    this.#processes = new KeptFiles(reader.path, () => reader.names(), (name) => keep(reader, name));
    this.#healths = new Map(CHECKERS.map((checker) => {
      const names = () => reader.reportNames(checker);
      const directory = join(reader.path, `.${checker}`);
      return [checker, new KeptFiles(directory, names, (name) => reader.health(checker, name))];
    }));
    const names = () => reader.reportNames("scheduler");
    this.#jobs = new KeptFiles(join(reader.path, ".scheduler"), names, (name) => reader.job(name));
  }

  /** Reads the status of a process, if it changed. @throws {Error} If it cannot be seen. */
  touch(name: string, now: number): void {
    if (fileNameFault(name) === null) this.#processes.touch(name, now);
  }

  /** Reads all that changed. `now` is in milliseconds since 1970. @throws {Error} If a directory cannot be read. */
  update(now: number): void {
    this.#processes.update(now);
    for (const reports of [...this.#healths.values(), this.#jobs]) {
      try {
        reports.update(now);
      } catch {
        // The user of a checker may have put anything there, or may let nobody read it.
      }
    }
  }

  /** Whether there is a status directory. */
  get exists(): boolean {
    return this.#processes.exists;
  }

  /** Which directory this is. Another one may have taken its place. */
  get inode(): number | string | null {
    return this.#processes.inode;
  }

  /** The names of all processes with a status, sorted. */
  get names(): readonly string[] {
    return this.#processes.names;
  }

  /** Why the status of a process cannot be read, by its name. */
  get faults(): ReadonlyMap<string, string> {
    return new Map(this.names.flatMap((name): [string, string][] => {
      const kept = this.#processes.get(name)!;
      return "unreadable" in kept ? [[name, kept.unreadable]] : [];
    }));
  }

  /** Returns how all processes are, except those whose config is gone. @throws {Error} If a file cannot be read. */
  view(now: number): View {
    const checkers = this.#reader.checkers();
    const processes = this.names.flatMap((name) => this.#see(this.#processes.get(name)!, checkers, now) ?? []);
    const jobs = this.#jobs.names.map((name) => this.#jobs.get(name)!);
    return { ...readMonitor(this.#reader, now), jobs, processes };
  }

  #see(kept: Kept, checkers: readonly string[], now: number): Seen | null {
    if ("unreadable" in kept || kept.told.status.state === "removed") return null;
    const { told, deaths } = kept;
    const healths = checkers.flatMap((checker): [string, Health][] => {
      const health = this.#healths.get(checker)!.get(told.status.name);
      return health === undefined ? [] : [[checker, currentHealth(health, told.status)]];
    });
    const job = this.#jobs.get(told.status.name);
    return judged(told, withJob(new Map(healths), job, told.status), deaths, now);
  }
}

function keep(reader: StatusReader, name: string): Kept | null {
  try {
    const told = reader.process(name);
    if (told === null) return null;
    const history = (): readonly JsonObject[] => reader.history(name).events;
    return { told, deaths: deathsOf(told, history) };
  } catch (error) {
    return { unreadable: error instanceof Error && !("code" in error) ? error.message : faultOf(error) };
  }
}
