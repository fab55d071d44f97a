import { fileNameFault, formatHealth, type Health, parseHealth } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { lstat } from "../files/lstat.ts";
import { readSmallFile } from "../files/open.ts";
import { withoutOptions } from "../files/own_directory.ts";
import { namesIn } from "../files/post.ts";
import { publish, Published } from "../files/published.ts";
import { faultOf } from "../deno_errors.ts";
import { KnownFaults } from "../known_faults.ts";
import type { Clock, Log } from "../types.ts";

/** The longest file that is read, in bytes. */
const MAX_BYTES = 10_000;

/** What {@linkcode HealthReports} needs. */
export interface HealthReportsOptions {
  /** The monitor's status directory. Null if nothing is reported. */
  readonly status: string | null;
  /** The name of the checker, by which its directory there is called. */
  readonly name: string;
  /** The time. */
  readonly clock: Clock;
  /** Where it logs that it cannot write. */
  readonly log: Log;
}

/** Reports the health of processes in files that `ctl status` reads: `STATUS/.httpcheck/NAME`. */
export class HealthReports {
  readonly #options: HealthReportsOptions;
  readonly #path: string;
  readonly #knownFaults = new KnownFaults();
  readonly #expected = new Set<string>();
  /** What is known of each process that is checked. */
  readonly #told = new Map<string, Health>();
  /** The text of each file, as far as it is known. */
  readonly #texts = new Map<string, string>();
  #files: Published | null = null;
  #isReady = false;
  #isCleared = false;

  /** Creates reports. Nothing is written yet. */
  constructor(options: HealthReportsOptions) {
    this.#options = options;
    this.#path = join(options.status ?? "", `.${options.name}`);
  }

  /** Whether anything is reported. */
  get isKept(): boolean {
    return this.#options.status !== null;
  }

  /** Shows readers that this checker lives. */
  async open(): Promise<void> {
    if (this.isKept) this.#note(this.#create() ?? await this.#files!.lock());
  }

  /** Takes the lock again if it is gone, and writes what could not be written before. Called after each scan. */
  keep(): void {
    if (!this.isKept) return;
    const fault = this.#restore();
    this.#note(fault ?? this.#clear() ?? this.#writeAll());
  }

  /** Tells what was found. */
  report(name: string, found: Omit<Health, "since">): void {
    if (!this.isKept) return;
    const before = this.#told.get(name) ?? this.#read(name);
    const isSame = before?.isHealthy === found.isHealthy && before.incarnation === found.incarnation;
    this.#told.set(name, { ...found, since: isSame ? before.since : this.#options.clock.wall() });
    if (this.#isReady) this.#note(this.#write(name));
  }

  /** Notes that a process is checked, or why it cannot be: its config is invalid. */
  expect(name: string, refused: string | null): void {
    this.#expected.add(name);
    if (refused !== null) this.report(name, { isHealthy: null, last: null, reason: refused, incarnation: null });
  }

  /** Removes the report about a process, which is not checked or no longer checked. */
  forget(name: string): void {
    this.#expected.delete(name);
    this.#told.delete(name);
    if (this.#isReady && this.#isCleared) this.#note(this.#remove(name));
  }

  /** Releases what it holds. */
  close(): void {
    this.#files?.close();
  }

  /** Returns what an earlier run of this checker reported. */
  #read(name: string): Health | null {
    try {
      return parseHealth(readSmallFile(join(this.#path, name), MAX_BYTES) ?? "");
    } catch {
      // It cannot be read, so it is not continued.
      return null;
    }
  }

  /** Removes, once, the reports of an earlier run about processes that are not checked now. */
  #clear(): string | null {
    if (this.#isCleared) return null;
    const isLeft = (name: string) => fileNameFault(name) === null && !this.#expected.has(name);
    try {
      const faults = (namesIn(this.#path) ?? []).filter(isLeft).map((name) => this.#remove(name));
      this.#isCleared = faults.every((fault) => fault === null);
      return faults.find((fault) => fault !== null) ?? null;
    } catch (error) {
      return faultOf(error);
    }
  }

  #writeAll(): string | null {
    const faults = [...this.#told.keys()].map((name) => this.#write(name));
    return faults.find((fault) => fault !== null) ?? null;
  }

  /** Writes the file of a process, unless it is up to date. Returns why that fails. */
  #write(name: string): string | null {
    const text = formatHealth(this.#told.get(name)!);
    if (this.#texts.get(name) === text) return null;
    const fault = this.#files!.change(() => publish(this.#path, name, text));
    if (fault === null) this.#texts.set(name, text);
    return fault;
  }

  /** Removes the file of a process if there is one. Returns why that fails. */
  #remove(name: string): string | null {
    this.#texts.delete(name);
    const path = join(this.#path, name);
    const fault = this.#files!.change(() => {
      if (lstat(path) !== null) Deno.removeSync(path);
    });
    // It is tried again.
    if (fault !== null) this.#isCleared = false;
    return fault;
  }

  /** Creates the directory and takes the lock again if they are gone. Returns why that fails. */
  #restore(): string | null {
    const fault = this.#create();
    if (fault === null && !this.#files!.isHeld) this.#texts.clear();
    return fault ?? this.#files!.restore();
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
    this.#isReady = fault === null;
    if (!this.#knownFaults.note("write", fault)) return;
    const where = JSON.stringify(this.#path);
    if (fault === null) this.#options.log.info(`health is reported in ${where} again`);
    else this.#options.log.warn(`cannot report health in ${where}: ${withoutOptions(fault)}`);
  }
}
