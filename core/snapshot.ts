import { digest } from "./digest.ts";
import { SpecError } from "./errors.ts";
import { parseSpec } from "./spec.ts";
import type { Entry, Listing, Problem, Spec } from "./types.ts";

/** What is known of the names of a config directory, or of some of them. */
export interface Snapshot {
  /** The good spec of each name that has or had one: while a file is wrong, the last good one stays in force. */
  readonly specs: ReadonlyMap<string, Spec>;
  /** What is wrong with each name that is wrong. */
  readonly problems: ReadonlyMap<string, Problem>;
}

/**
 * Turns what a look found into specs and problems. Never throws.
 *
 * A name of the listing whose text is bad keeps its spec of `previous`, and becomes a problem besides. Names that are
 * not in the listing are not in the result: a listing of some names, with what was known of those, gives what is to be
 * known of them.
 *
 * @param listing What was found, name by name.
 * @param previous What was known before.
 *
 * @example
 * ```ts
 * import { readSnapshot } from "@ncolony/core";
 *
 * const good = readSnapshot(new Map([["web", { source: '{"args": ["httpd"]}' }]]));
 * const bad = readSnapshot(new Map([["web", { source: "{" }]]), good);
 * if (bad.specs.get("web") !== good.specs.get("web")) throw new Error("the last good spec stays in force");
 * if (bad.problems.get("web")?.reason !== "not JSON at line 1, column 2") throw new Error("unexpected");
 * ```
 */
export function readSnapshot(listing: Listing, previous?: Snapshot): Snapshot {
  const specs = new Map<string, Spec>();
  const problems = new Map<string, Problem>();
  for (const [name, entry] of listing) {
    const before = previous?.specs.get(name);
    const read = readEntry(name, entry, before);
    if ("source" in read) specs.set(name, read);
    else {
      problems.set(name, read);
      if (before !== undefined) specs.set(name, before);
    }
  }
  return { specs, problems };
}

/** The problems of `after` that were not those of `before`: what is to be said now. */
export function newProblems(before: Snapshot, after: Snapshot): Problem[] {
  return [...after.problems.values()].filter((problem) => {
    const said = before.problems.get(problem.name);
    return said === undefined || said.reason !== problem.reason || said.digest !== problem.digest;
  });
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
