import { type Entry, Known, type ProcessEvent, type Spec } from "@ncolony/core";
import { Changes, type Touched } from "./changes.ts";
import { Told } from "./told.ts";
import type { Clock, Directory, Log } from "./types.ts";

/** What {@linkcode Configs} needs. */
export interface ConfigsOptions {
  /** Where the configs are. */
  readonly directory: Directory;
  /** The time. */
  readonly clock: Clock;
  /** Where it tells what is wrong. */
  readonly log: Log;
  /** Takes what follows for a process. */
  readonly onEvent: (name: string, event: ProcessEvent) => void;
  /** As in {@linkcode ChangesOptions}. */
  readonly nextRenamed?: () => string | undefined;
}

/**
 * What a config directory asks for, kept up to date by looks at it: each says what is wrong, once, and what follows for
 * which process. While a config is bad its last good one stays in force; while the directory is away all do.
 */
export class Configs {
  readonly #options: ConfigsOptions;
  readonly #changes: Changes;
  readonly #known = new Known();
  readonly #told = new Told();
  #signal: AbortSignal | undefined;

  /** Makes one that has looked at nothing yet. */
  constructor(options: ConfigsOptions) {
    const { directory, clock, nextRenamed } = options;
    this.#options = options;
    const onChange = (name: string, entry: Entry | null) => this.#onChange(name, entry);
    this.#changes = new Changes(directory, clock, onChange, nextRenamed === undefined ? {} : { nextRenamed });
  }

  /** The specs in force. */
  get specs(): ReadonlyMap<string, Spec> {
    return this.#known.specs;
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

  /** Looks at everything. What an aborted look finds counts for nothing. */
  async lookAtAll(signal?: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#tellOf(await this.#changes.lookAtAll(signal));
  }

  /** Looks at some names. What an aborted look finds counts for nothing. */
  async lookAt(names: Touched, signal?: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#tellOf(await this.#changes.lookAt(names, signal));
  }

  /** Tells, when that changes, that the directory says nothing, or that it can be read again. */
  #tellOf(fault: string | null): void {
    const { directory, log } = this.#options;
    if (this.#signal?.aborted || !this.#told.isNews("directory", fault)) return;
    if (fault === null) log.info(`the config directory ${directory.path} can be read again`);
    else log.error(`the config directory ${directory.path} ${fault}: what runs goes on as it is`);
  }

  #onChange(changed: string, entry: Entry | null): void {
    if (this.#signal?.aborted) return;
    this.#tellOf(null);
    const { log, onEvent } = this.#options;
    const { events, problems, mended } = this.#known.update(new Map([[changed, entry]]));
    for (const { name, reason } of problems) {
      const inForce = this.#known.specs.has(name) ? "; its last good config stays in force" : "";
      log.warn(`bad config: ${reason}${inForce}`, name);
    }
    for (const name of mended) log.info("its config is good again", name);
    for (const [name, event] of events) onEvent(name, event);
  }
}
