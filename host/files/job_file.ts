import { formatJob, type Job, parseJob } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import { KnownFaults } from "../known_faults.ts";
import type { Clock, Log } from "../types.ts";
import { lstat } from "./lstat.ts";
import { readSmallFile } from "./open.ts";
import { OwnDirectory, withoutOptions } from "./own_directory.ts";
import { publish } from "./published.ts";

/** The longest file that is read, in bytes. */
const MAX_BYTES = 10_000;

/**
 * The file in which a scheduler reports about its job, `STATUS/.scheduler/JOB`. Schedulers of several jobs share the
 * directory, so none of them locks it.
 */
export class JobFile {
  readonly #status: string;
  readonly #directory: string;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #knownFaults = new KnownFaults();
  #own: OwnDirectory | null = null;
  /** What was last written. */
  #text: string | null = null;

  /** Creates a file of the monitor's status directory. Nothing is written yet. Faults are logged once. */
  constructor(status: string, name: string, clock: Clock, log: Log) {
    this.#status = status;
    this.#directory = join(status, ".scheduler");
    this.#name = name;
    this.#clock = clock;
    this.#log = log;
  }

  /** Returns what an earlier scheduler reported. Null if there is nothing. */
  read(): Job | null {
    try {
      this.#ensure();
      return parseJob(this.#name, readSmallFile(join(this.#directory, this.#name), MAX_BYTES) ?? "");
    } catch {
      // It cannot be read, so it is not continued.
      return null;
    }
  }

  /** Replaces the file, unless it is up to date. */
  write(job: Job): void {
    const fault = this.#tryWrite(formatJob(job));
    if (!this.#knownFaults.note("write", fault)) return;
    const where = JSON.stringify(join(this.#directory, this.#name));
    if (fault === null) this.#log.info(`the job is reported in ${where} again`);
    else this.#log.warn(`cannot report the job in ${where}: ${withoutOptions(fault)}`);
  }

  #tryWrite(text: string): string | null {
    try {
      this.#ensure();
      if (text !== this.#text || lstat(join(this.#directory, this.#name)) === null) {
        publish(this.#directory, this.#name, text);
        this.#text = text;
      }
      return null;
    } catch (error) {
      this.#own?.forget();
      return faultOf(error);
    }
  }

  /** Creates the directory if it is missing. @throws {Error} If that fails, or if other users may write to it. */
  #ensure(): void {
    // It is the monitor that creates the directory above.
    if (lstat(this.#status) === null) throw new Deno.errors.NotFound();
    this.#own ??= new OwnDirectory(this.#directory, {}, this.#clock);
    this.#own.ensure();
  }
}
