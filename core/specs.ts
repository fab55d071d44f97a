import { digest } from "./digest.ts";
import { SpecError } from "./errors.ts";
import type { ProcessEvent } from "./process.ts";
import { placeOf } from "./place.ts";
import { parseSpec } from "./spec.ts";
import type { StatusConfig } from "./status_config.ts";
import type { Entry, Lack, Problem, Spec } from "./types.ts";

/** The effect of a change of one config file. */
export interface SpecChange {
  /** The name of the file and of its process. */
  readonly name: string;
  /** What the change means for the process; null if nothing. */
  readonly event: ProcessEvent | null;
  /** What is wrong with the file, if it is a new problem; else null. */
  readonly problem: Problem | null;
  /** Whether the file was invalid before and is valid now. */
  readonly isMended: boolean;
  /** What the status of the process tells about the config. */
  readonly config: StatusConfig;
}

/**
 * The configs of a directory: the spec in force of each name, and what is wrong with its file. While a file is invalid,
 * its last valid spec stays in force.
 *
 * @example
 * ```ts
 * import { Specs } from "@ncolony/core";
 *
 * const specs = new Specs();
 * const { event } = specs.change("web", { source: '{"args": ["httpd"]}' });
 * if (event?.type !== "wanted") throw new Error("it must run");
 * const { problem } = specs.change("web", { source: "{" });
 * if (problem?.reason !== "invalid JSON at line 1, column 2: a } is missing at the end") throw new Error("unexpected");
 * if (!specs.inForce.has("web")) throw new Error("the last valid spec stays in force");
 * ```
 */
export class Specs {
  readonly #lack: (spec: Spec) => Lack | null;
  readonly #inForce = new Map<string, Spec>();
  readonly #problems = new Map<string, Problem>();
  /** The files that are valid, and that this machine could not use. */
  readonly #lacking = new Map<string, Entry>();

  /** Creates specs. `lack` finds out what keeps a valid spec from being used on this machine. @default {nothing does} */
  constructor(lack: (spec: Spec) => Lack | null = () => null) {
    this.#lack = lack;
  }

  /** The spec in force of each name: the last valid one of its file. */
  get inForce(): ReadonlyMap<string, Spec> {
    return this.#inForce;
  }

  /** Updates the spec of a file from what the file holds now; null: the file is gone. Never throws. */
  change(name: string, entry: Entry | null): SpecChange {
    const [spec, problem] = [this.#inForce.get(name), this.#problems.get(name)];
    this.#lacking.delete(name);
    const read = entry === null ? null : this.#read(name, entry, spec);
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
      config: configOf(this.#inForce.get(name), read),
    };
  }

  /** Looks again at each valid file that this machine could not use: a user may have been created since. */
  *retry(): Generator<SpecChange> {
    for (const [name, entry] of [...this.#lacking]) yield this.change(name, entry);
  }

  #read(name: string, entry: Entry, before: Spec | undefined): Spec | Problem {
    if ("fault" in entry) return { name, field: null, reason: entry.fault, place: null, digest: 0 };
    if (before?.source === entry.source) return before;
    try {
      const spec = parseSpec(name, entry.source);
      const lack = spec.enabled ? this.#lack(spec) : null;
      if (lack === null) return spec;
      this.#lacking.set(name, entry);
      return { name, ...lack, ...about(entry.source, lack.field) };
    } catch (error) {
      if (!(error instanceof SpecError)) throw error;
      return { name, field: error.field, reason: error.reason, ...about(entry.source, error.field) };
    }
  }
}

function about(source: string, field: string | null): Pick<Problem, "place" | "digest"> {
  return { place: placeOf(source, field), digest: digest(source) };
}

/** Returns what the status of a process tells about its file: the spec in force, and what the file holds now. */
function configOf(spec: Spec | undefined, read: Spec | Problem | null): StatusConfig {
  const problem = read === null || "source" in read
    ? null
    : { message: read.reason, field: read.field, line: read.place?.line ?? null, column: read.place?.column ?? null };
  const source = spec?.source ?? null;
  if (spec === undefined) return { wants: problem === null ? "removed" : null, problem, source };
  return { wants: spec.enabled ? "run" : "disabled", problem, source };
}

/** Returns what a change of the spec in force means for the process. A disabled spec counts as none. */
function difference(before: Spec | undefined, after: Spec | undefined): ProcessEvent | null {
  const [ran, runs] = [before?.enabled ? before : undefined, after?.enabled ? after : undefined];
  if (runs === undefined) return ran === undefined ? null : { type: "unwanted" };
  return ran?.source === runs.source ? null : { type: "wanted", spec: runs };
}
