import { diff } from "./diff.ts";
import type { ProcessEvent } from "./process.ts";
import { newProblems, readSnapshot } from "./snapshot.ts";
import type { Entry, Problem, Spec } from "./types.ts";

/** What follows from a look: what to tell the processes, and what to tell people. */
export interface News {
  /** The event of each process for which something changed. */
  readonly events: ReadonlyMap<string, ProcessEvent>;
  /** The problems that were not told yet. */
  readonly problems: readonly Problem[];
  /** The names whose configs had a problem, and are good again. */
  readonly mended: readonly string[];
}

/**
 * What is known of the config directory: the snapshot in force, brought up to date by what each look found to have
 * changed, so that one changed file costs the same work among ten and among ten thousand.
 */
export class Known {
  readonly #specs = new Map<string, Spec>();
  readonly #problems = new Map<string, Problem>();

  /** The specs in force. */
  get specs(): ReadonlyMap<string, Spec> {
    return this.#specs;
  }

  /** Takes what changed, name by name, null for what is gone. */
  update(changes: ReadonlyMap<string, Entry | null>): News {
    const before = { specs: pick(this.#specs, changes), problems: pick(this.#problems, changes) };
    const listing = new Map<string, Entry>();
    for (const [name, entry] of changes) if (entry !== null) listing.set(name, entry);
    const after = readSnapshot(listing, before);
    for (const name of changes.keys()) {
      put(this.#specs, name, after.specs.get(name));
      put(this.#problems, name, after.problems.get(name));
    }
    const mended = [...before.problems.keys()].filter((name) => !after.problems.has(name) && after.specs.has(name));
    return { events: diff(before.specs, after.specs), problems: newProblems(before, after), mended };
  }
}

function pick<T>(from: ReadonlyMap<string, T>, names: ReadonlyMap<string, unknown>): Map<string, T> {
  const picked = new Map<string, T>();
  for (const name of names.keys()) {
    const value = from.get(name);
    if (value !== undefined) picked.set(name, value);
  }
  return picked;
}

function put<T>(into: Map<string, T>, name: string, value: T | undefined): void {
  if (value === undefined) into.delete(name);
  else into.set(name, value);
}
