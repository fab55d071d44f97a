import type { JsonObject } from "@ncolony/core";

/** How a colony is, or what changed in it, as parts of a JSON document. */
export interface ColonyChange {
  /** An object: `monitor`, `summary` and `well`. */
  readonly facts: string;
  /** Processes, each an object as in `ctl status --json`. */
  readonly processes: readonly string[];
  /** The names of processes that are gone. */
  readonly gone: readonly string[];
  /** What happened, each an object as in `STATUS/.events`, with a sentence. */
  readonly happened: readonly JsonObject[];
  /** What all processes use, an object as in `STATUS/.usage`. Null: no change. */
  readonly usage: string | null;
}

/** Joins the parts to one JSON object. */
export function formatColony({ facts, processes, gone, happened, usage }: ColonyChange): string {
  const others = [
    `"processes":[${processes.join(",")}]`,
    ...gone.length > 0 ? [`"gone":${JSON.stringify(gone)}`] : [],
    ...happened.length > 0 ? [`"happened":${JSON.stringify(happened)}`] : [],
    ...usage === null ? [] : [`"usage":${usage}`],
  ];
  return `${facts.slice(0, -1)},${others.join(",")}}`;
}
