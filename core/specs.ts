import { digest } from "./digest.ts";
import { SpecError } from "./errors.ts";
import type { ProcessEvent } from "./process.ts";
import { parseSpec } from "./spec.ts";
import type { Entry, Problem, Spec } from "./types.ts";

/** What follows from a change of one config file. */
export interface SpecChange {
  /** The name of the file, and of its process. */
  readonly name: string;
  /** What it means for the process; null where it makes no difference. */
  readonly event: ProcessEvent | null;
  /** What is wrong with the file, where that is news; else null. */
  readonly problem: Problem | null;
  /** Whether something was wrong with the file before, and it is good now. */
  readonly isMended: boolean;
}

/**
 * The configs of a directory: of each name the spec in force, and what is wrong with its file. While a file is bad its last
 * good spec stays in force.
 *
 * @example
 * ```ts
 * import { Specs } from "@ncolony/core";
 *
 * const specs = new Specs();
 * const { event } = specs.change("web", { source: '{"args": ["httpd"]}' });
 * if (event?.type !== "wanted") throw new Error("it is to run");
 * const { problem } = specs.change("web", { source: "{" });
 * if (problem?.reason !== "not JSON at line 1, column 2") throw new Error("unexpected");
 * if (!specs.inForce.has("web")) throw new Error("the last good spec stays in force");
 * ```
 */
export class Specs {
  readonly #inForce = new Map<string, Spec>();
  readonly #problems = new Map<string, Problem>();

  /** The good spec of each name that has or had one. */
  get inForce(): ReadonlyMap<string, Spec> {
    return this.#inForce;
  }

  /** Takes note of what a file holds now, or that it is gone (null). Never throws. */
  change(name: string, entry: Entry | null): SpecChange {
    const [spec, problem] = [this.#inForce.get(name), this.#problems.get(name)];
    const read = entry === null ? null : readEntry(name, entry, spec);
    const isBad = read !== null && !("source" in read);
    if (isBad) this.#problems.set(name, read);
    else this.#problems.delete(name);
    if (read === null) this.#inForce.delete(name);
    else if (!isBad) this.#inForce.set(name, read);
    return {
      name,
      event: difference(spec, this.#inForce.get(name)),
      problem: isBad && (problem?.reason !== read.reason || problem.digest !== read.digest) ? read : null,
      isMended: problem !== undefined && read !== null && !isBad,
    };
  }
}

/** What a change of the spec in force means for the process. A spec that is not enabled is none. */
function difference(before: Spec | undefined, after: Spec | undefined): ProcessEvent | null {
  const [ran, runs] = [before?.enabled ? before : undefined, after?.enabled ? after : undefined];
  if (runs === undefined) return ran === undefined ? null : { type: "unwanted" };
  return ran?.source === runs.source ? null : { type: "wanted", spec: runs };
}

function readEntry(name: string, entry: Entry, before: Spec | undefined): Spec | Problem {
  if ("fault" in entry) return { name, field: null, reason: entry.fault, digest: 0 };
  if (before?.source === entry.source) return before;
  try {
    return parseSpec(name, entry.source);
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    return { name, field: error.field, reason: error.reason, digest: digest(entry.source) };
  }
}
