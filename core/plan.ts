import { changedKeys } from "./cause.ts";
import { SpecError } from "./errors.ts";
import { nameFault } from "./name.ts";
import { parseSpec } from "./spec.ts";
import type { Entry, Spec } from "./types.ts";

/** What a monitor would do with one process if its configs changed. */
export interface PlannedChange {
  /** The name of the process. */
  readonly name: string;
  /** What it would do. `invalid`: nothing, since the new config is invalid: what runs goes on. */
  readonly change: "start" | "stop" | "restart" | "invalid";
  /** Why, in a few words. */
  readonly why: string;
  /** The keys that changed, if it is a restart. Null otherwise. Empty: only the layout of the text did. */
  readonly keys: readonly string[] | null;
}

/**
 * Plans what a monitor would do if one set of configs took the place of another.
 *
 * @param before The files that are in force, by name.
 * @param after The files that would be there instead.
 * @returns What changes, by name.
 *
 * @example
 * ```ts
 * import { planChanges } from "@ncolony/core";
 *
 * const before = new Map([["web", { source: '{"args": ["cat"]}' }]]);
 * const after = new Map([["web", { source: '{"args": ["cat"], "uid": 33}' }]]);
 * const [planned] = planChanges(before, after);
 * if (planned?.change !== "restart" || planned.keys?.join() !== "uid") throw new Error("unexpected");
 * ```
 */
export function planChanges(before: ReadonlyMap<string, Entry>, after: ReadonlyMap<string, Entry>): PlannedChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  // Others are no processes.
  return names.filter((name) => nameFault(name) === null).flatMap((name) =>
    planOne(name, before.get(name), after.get(name)) ?? []
  );
}

function planOne(name: string, before: Entry | undefined, after: Entry | undefined): PlannedChange | null {
  if (JSON.stringify(before) === JSON.stringify(after)) return null;
  const [old, next] = [parsed(name, before), parsed(name, after)];
  const plan = (change: PlannedChange["change"], why: string, keys: readonly string[] | null = null) => {
    return { name, change, why, keys };
  };
  if (typeof next === "string") return plan("invalid", next);
  // What is in force with an invalid file is not known.
  const wasRunning = old !== null && (typeof old === "string" || old.enabled);
  if (next === null || !next.enabled) return wasRunning ? plan("stop", next === null ? "removed" : "disabled") : null;
  if (!wasRunning) return plan("start", old === null ? "added" : "enabled");
  if (typeof old === "string") return plan("restart", "its config was invalid");
  const keys = changedKeys(old.source, next.source);
  return plan("restart", keys.length === 0 ? "only the layout of its config changed" : "its config changed", keys);
}

/** Parses a file. Null if there is none; the reason if it is invalid. */
function parsed(name: string, entry: Entry | undefined): Spec | string | null {
  if (entry === undefined) return null;
  if ("fault" in entry) return entry.fault;
  try {
    return parseSpec(name, entry.source);
  } catch (error) {
    if (error instanceof SpecError) return error.reason;
    throw error;
  }
}
