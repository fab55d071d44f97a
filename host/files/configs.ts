import { type Lack, type Spec, type SpecChange, Specs } from "@ncolony/core";
import { KnownFaults } from "../known_faults.ts";
import type { Clock, Directory, Log } from "../types.ts";
import { TimeSlice } from "../time_slice.ts";
import { Changes, type Touched } from "./changes.ts";

/** What {@linkcode Configs} needs. */
export interface ConfigsOptions {
  /** The config directory. */
  readonly directory: Directory;
  /** The time. */
  readonly clock: Clock;
  /** Logs each problem. */
  readonly log: Log;
  /** As in {@linkcode Specs}. */
  readonly lack?: (spec: Spec) => Lack | null;
  /** As in {@linkcode ChangesOptions}. */
  readonly nextRenamed?: () => string | undefined;
}

/**
 * The specs of a config directory, kept up to date by scans. If a config becomes invalid, its last valid version stays
 * in force. If the directory becomes unreadable, all configs stay in force. Each problem is logged once.
 */
export class Configs {
  readonly #options: ConfigsOptions;
  readonly #changes: Changes;
  readonly #specs: Specs;
  readonly #knownFaults = new KnownFaults();
  #fault: string | null = null;

  /** Creates the configs of a directory. Nothing has been scanned yet. */
  constructor(options: ConfigsOptions) {
    const { directory, clock, nextRenamed } = options;
    this.#options = options;
    this.#specs = new Specs(options.lack);
    this.#changes = new Changes(directory, clock, nextRenamed === undefined ? {} : { nextRenamed });
  }

  /** The specs in force. */
  get specs(): ReadonlyMap<string, Spec> {
    return this.#specs.inForce;
  }

  /** When to scan the unsettled names again, in the clock's milliseconds. Infinity if there are none. */
  get due(): number {
    return this.#changes.due;
  }

  /** The names that have not settled. */
  unsettled(): string[] {
    return this.#changes.unsettled();
  }

  /** Whether a name changed and may still be changing. */
  isUnsettled(name: string): boolean {
    return this.#changes.isUnsettled(name);
  }

  /**
   * Scans some names or all, logs problems, and yields the changes in order. An aborted scan neither yields nor logs
   * any more.
   */
  async *changes(names: Touched | "all", signal?: AbortSignal): AsyncGenerator<SpecChange> {
    const files = names === "all" ? this.#changes.scanAll(signal) : this.#changes.scan(names, signal);
    for await (const { name, entry } of files) {
      if (signal?.aborted) return;
      this.#logFault(null);
      yield this.#logged(this.#specs.change(name, entry));
    }
    if (names === "all") yield* this.#retry(signal);
    if (!signal?.aborted) this.#logFault(this.#changes.fault);
  }

  async *#retry(signal?: AbortSignal): AsyncGenerator<SpecChange> {
    const slice = new TimeSlice(this.#options.clock);
    for (const change of this.#specs.retry()) {
      yield this.#logged(change);
      if (slice.isOver) await slice.yield();
      if (signal?.aborted) return;
    }
  }

  /** Why the directory could not be read. Null if it was. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Logs when the directory becomes unreadable, and when it can be read again. */
  #logFault(fault: string | null): void {
    this.#fault = fault;
    const { directory, log } = this.#options;
    if (!this.#knownFaults.note("directory", fault)) return;
    if (fault === null) log.info(`the config directory ${directory.path} can be read again`);
    else log.error(`cannot read the config directory ${directory.path}: ${fault}; running processes keep running`);
  }

  #logged(change: SpecChange): SpecChange {
    const { name, problem, isMended } = change;
    const { log } = this.#options;
    if (isMended) log.info("config is valid again", name, { event: "problem-gone" });
    if (problem === null) return change;
    const inForce = this.specs.has(name) ? "; the last valid config stays in effect" : "";
    log.warn(`invalid config: ${problem.reason}${inForce}`, name, { event: "problem" });
    return change;
  }
}
