import { isObject, ownValue, type View } from "@ncolony/core";

/** How often a sample is taken, in milliseconds. */
export const INTERVAL_MS = 15_000;

/** How many samples are kept: those of an hour. */
const MAX_SAMPLES = 240;

/** What a sample has of a process: when it was started (0: it does not run), how often, and its memory (0: unknown). */
const FIELDS = 3;

/** How processes were, as series of equal length, the newest last. */
export interface Series {
  /** When the samples were taken, in seconds since 1970. The first one is that of this program's start, or an hour ago. */
  readonly times: readonly number[];
  /** For how long the process had been running, in seconds. Null: it did not run. */
  readonly uptime: readonly (number | null)[];
  /** How often it had been started. Null: there was no such process. */
  readonly starts: readonly (number | null)[];
  /** Its memory, in bytes. Null: unknown. */
  readonly memory: readonly (number | null)[];
}

/** What every process was like in the last hour, as far as this program has seen it. */
export class Samples {
  readonly #times: number[] = [];
  readonly #processes = new Map<string, Uint32Array>();

  /** Takes a sample. */
  take(view: View): void {
    const now = Math.round(view.now / 1000);
    const isFull = this.#times.length === MAX_SAMPLES;
    if (isFull) {
      this.#times.shift();
      for (const values of this.#processes.values()) values.copyWithin(0, FIELDS);
    }
    const at = this.#times.push(now) - 1;
    for (const values of this.#processes.values()) values.fill(0, at * FIELDS);
    const known = new Set(this.#processes.keys());
    for (const { status } of view.processes) {
      known.delete(status.name);
      const values = this.#processes.get(status.name) ?? new Uint32Array(MAX_SAMPLES * FIELDS);
      this.#processes.set(status.name, values);
      const used = ownValue(view.usage, status.name);
      const memory = isObject(used) && typeof used.memory === "number" ? used.memory : 0;
      const isUp = view.isAlive !== false && status.state === "running" && status.started !== null;
      // Memory is in KiB, so that 4 TiB fit.
      values.set([isUp ? status.started / 1000 : 0, status.incarnation + 1, memory / 1024], at * FIELDS);
    }
    for (const name of known) this.#processes.delete(name);
  }

  /** Returns the series of a process. */
  of(name: string): Series {
    const values = this.#processes.get(name) ?? new Uint32Array(MAX_SAMPLES * FIELDS);
    const field = <T>(index: number, read: (value: number, time: number) => T) =>
      this.#times.map((time, at) =>
        values[at * FIELDS + index] === 0 ? null : read(values[at * FIELDS + index]!, time)
      );
    return {
      times: [...this.#times],
      uptime: field(0, (started, time) => Math.max(0, time - started)),
      starts: field(1, (starts) => starts - 1),
      memory: field(2, (kibibytes) => kibibytes * 1024),
    };
  }
}
