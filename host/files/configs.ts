import { type Spec, type SpecChange, Specs } from "@ncolony/core";
import { KnownFaults } from "../known_faults.ts";
import type { Clock, Directory, Log } from "../types.ts";
import { Changes, type Touched } from "./changes.ts";

/** What {@linkcode Configs} needs. */
export interface ConfigsOptions {
  /** Where the configs are. */
  readonly directory: Directory;
  /** The time. */
  readonly clock: Clock;
  /** Where it tells what is wrong. */
  readonly log: Log;
  /** As in {@linkcode ChangesOptions}. */
  readonly nextRenamed?: () => string | undefined;
}

/**
 * What a config directory asks for, kept up to date by looks at it. While a config is bad its last good one stays in force;
 * while the directory is away all do. What is wrong is told once.
 */
export class Configs {
  readonly #options: ConfigsOptions;
  readonly #changes: Changes;
  readonly #specs = new Specs();
  readonly #knownFaults = new KnownFaults();

  /** Makes one that has looked at nothing yet. */
  constructor(options: ConfigsOptions) {
    const { directory, clock, nextRenamed } = options;
    this.#options = options;
    this.#changes = new Changes(directory, clock, nextRenamed === undefined ? {} : { nextRenamed });
  }

  /** The specs in force. */
  get specs(): ReadonlyMap<string, Spec> {
    return this.#specs.inForce;
  }

  /** When the names that have not settled must be looked at again, in the clock's milliseconds; else Infinity. */
  get due(): number {
    return this.#changes.due;
  }

  /** The names that have not settled. */
  unsettled(): string[] {
    return this.#changes.unsettled();
  }

  /** Whether a name changed, and may still be changing. */
  isUnsettled(name: string): boolean {
    return this.#changes.isUnsettled(name);
  }

  /**
   * Looks at some names, or at all, tells what is wrong, and gives what changed, in order. An aborted look gives and tells
   * nothing more.
   */
  async *changes(names: Touched | "all", signal?: AbortSignal): AsyncGenerator<SpecChange> {
    const files = names === "all" ? this.#changes.scanAll(signal) : this.#changes.scan(names, signal);
    for await (const { name, entry } of files) {
      if (signal?.aborted) return;
      this.#logFault(null);
      const change = this.#specs.change(name, entry);
      this.#logChange(change);
      yield change;
    }
    if (!signal?.aborted) this.#logFault(this.#changes.fault);
  }

  /** Tells, when that changes, that the directory says nothing, or that it can be read again. */
  #logFault(fault: string | null): void {
    const { directory, log } = this.#options;
    if (!this.#knownFaults.note("directory", fault)) return;
    if (fault === null) log.info(`the config directory ${directory.path} can be read again`);
    else log.error(`the config directory ${directory.path} ${fault}: what runs goes on as it is`);
  }

  #logChange({ name, problem, isMended }: SpecChange): void {
    const { log } = this.#options;
    if (isMended) log.info("its config is good again", name);
    if (problem === null) return;
    const inForce = this.specs.has(name) ? "; its last good config stays in force" : "";
    log.warn(`bad config: ${problem.reason}${inForce}`, name);
  }
}
