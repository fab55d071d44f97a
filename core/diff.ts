import type { ProcessEvent } from "./process.ts";
import type { Spec } from "./types.ts";

/**
 * Compares what was to run with what is to run, and gives the event of each name for which that makes a difference.
 *
 * A spec that is not enabled counts as none. A spec whose source is unchanged makes no difference.
 *
 * @param before The specs in force until now.
 * @param after The specs in force from now on.
 */
export function diff(before: ReadonlyMap<string, Spec>, after: ReadonlyMap<string, Spec>): Map<string, ProcessEvent> {
  const events = new Map<string, ProcessEvent>();
  for (const [name, spec] of after) {
    const old = enabled(before.get(name));
    if (!spec.enabled) {
      if (old !== undefined) events.set(name, { type: "unwanted" });
    } else if (old?.source !== spec.source) events.set(name, { type: "wanted", spec });
  }
  for (const [name, spec] of before) {
    if (spec.enabled && !after.has(name)) events.set(name, { type: "unwanted" });
  }
  return events;
}

function enabled(spec: Spec | undefined): Spec | undefined {
  return spec?.enabled ? spec : undefined;
}
