/**
 * How often a process ended, by what ended it.
 *
 * @module
 */

import { isObject, type Json } from "./json.ts";
import { count } from "./json_values.ts";
import type { Exit } from "./types.ts";

/**
 * What ends a process: somebody `asked` for it, or else it exited with code 0 (`success`) or another one (`error`), or
 * by a `signal`, or could not be started (`not_started`), or nobody saw how it ended (`unknown`).
 */
export const EXIT_CAUSES = ["asked", "success", "error", "signal", "not_started", "unknown"] as const;

/** One of {@linkcode EXIT_CAUSES}. */
export type ExitCause = typeof EXIT_CAUSES[number];

/** How often a process ended, by what ended it. */
export type ExitCounts = Readonly<Record<ExitCause, number>>;

/** The counts of a process that never ended. */
export const NO_EXITS: ExitCounts = { asked: 0, success: 0, error: 0, signal: 0, not_started: 0, unknown: 0 };

/** Counts one more exit. `isAsked`: somebody had asked for it. */
export function countExit(counts: ExitCounts, exit: Exit, isAsked: boolean): ExitCounts {
  const cause = isAsked ? "asked" : causeOf(exit);
  return { ...counts, [cause]: counts[cause] + 1 };
}

function causeOf(exit: Exit): ExitCause {
  switch (exit.type) {
    case "code":
      return exit.code === 0 ? "success" : "error";
    case "failed":
      return "not_started";
    default:
      return exit.type;
  }
}

/** Parses the key `exits` of a file `STATUS/NAME`. What is not a count counts as 0. */
export function parseExitCounts(told: Json | undefined): ExitCounts {
  const counts = isObject(told) ? told : {};
  const entries = Object.entries(NO_EXITS).map(([cause, none]) => [cause, count(counts[cause]) ?? none]);
  return Object.fromEntries(entries);
}
