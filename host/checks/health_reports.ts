import { formatHealth, type Health, parseHealth } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { lstat } from "../files/lstat.ts";
import { readSmallFile } from "../files/open.ts";
import { publish, Published } from "../files/published.ts";
import { faultOf } from "../deno_errors.ts";
import { KnownFaults } from "../known_faults.ts";
import type { Clock, Log } from "../types.ts";

/** The longest file that is read, in bytes. */
const MAX_BYTES = 10_000;

/** What {@linkcode HealthReports} needs. */
export interface HealthReportsOptions {
  /** The monitor's status directory. Null if the health is not told. */
  readonly status: string | null;
  /** The name of the checker, by which its directory there is called. */
  readonly name: string;
  /** The time. */
  readonly clock: Clock;
  /** Where it logs that it cannot write. */
  readonly log: Log;
}

/** Tells the health of processes in files that `ctl status` reads: `STATUS/.httpcheck/NAME`. */
export class HealthReports {
  readonly #options: HealthReportsOptions;
  readonly #path: string;
  readonly #knownFaults = new KnownFaults();
  /** What was told of each process. Null: nothing. */
  readonly #told = new Map<string, Health | null>();
  /** The text of each file, as far as it is known. Null: there is no file. */
  readonly #texts = new Map<string, string | null>();
  #files: Published | null = null;

  /** Creates reports. Nothing is written yet. */
  constructor(options: HealthReportsOptions) {
    this.#options = options;
    this.#path = join(options.status ?? "", `.${options.name}`);
  }

  /** Whether the health is told at all. */
  get isKept(): boolean {
    return this.#options.status !== null;
  }

  /** Shows readers that this checker lives. */
  async open(): Promise<void> {
    if (!this.isKept) return;
    this.#note(this.#create() ?? await this.#files!.lock());
  }

  /** Tells what was found. */
  report(name: string, found: Omit<Health, "since">): void {
    this.#change(name, (before) => {
      const isSame = before?.isHealthy === found.isHealthy && before.incarnation === found.incarnation;
      return { ...found, since: isSame ? before.since : this.#options.clock.wall() };
    });
  }

  /** Removes what was told of a process, which is no longer checked. */
  forget(name: string): void {
    this.#change(name, () => null);
  }

  /** Releases what it holds. */
  close(): void {
    this.#files?.close();
  }

  #change(name: string, next: (before: Health | null) => Health | null): void {
    if (!this.isKept) return;
    const known = this.#told.get(name);
    const health = next(known === undefined ? this.#read(name) : known);
    this.#told.set(name, health);
    this.#note(this.#restore() ?? this.#write(name, health === null ? null : formatHealth(health)));
  }

  /** Returns what an earlier run of this checker told. */
  #read(name: string): Health | null {
    try {
      return parseHealth(readSmallFile(join(this.#path, name), MAX_BYTES) ?? "");
    } catch {
      // It cannot be read, so it is not continued.
      return null;
    }
  }

  /** Writes or removes a file. Returns why that fails. */
  #write(name: string, text: string | null): string | null {
    if (this.#texts.get(name) === text) return null;
    const path = join(this.#path, name);
    const fault = this.#files!.change(() => {
      if (text !== null) publish(this.#path, name, text);
      else if (lstat(path) !== null) Deno.removeSync(path);
    });
    if (fault === null) this.#texts.set(name, text);
    return fault;
  }

  /** Creates the directory and takes the lock again if they are gone. Returns why that fails. */
  #restore(): string | null {
    const fault = this.#create();
    if (fault !== null) return fault;
    if (!this.#files!.isHeld) this.#texts.clear();
    return this.#files!.restore();
  }

  /** Creates the directory if it is missing. Returns why that fails. */
  #create(): string | null {
    const { status, clock } = this.#options;
    try {
      // It is the monitor that creates the directory above.
      if (lstat(status!) === null) return "no such file or directory";
      this.#files ??= new Published([this.#path], {}, clock);
      return null;
    } catch (error) {
      return faultOf(error);
    }
  }

  #note(fault: string | null): void {
    if (!this.#knownFaults.note("write", fault)) return;
    const where = JSON.stringify(this.#path);
    if (fault === null) this.#options.log.info(`the health of processes is told in ${where} again`);
    // These are options of the monitor.
    else {this.#options.log.warn(
        `cannot tell the health of processes in ${where}: ${fault.replace(/, or use --.*/, "")}`,
      );}
  }
}
