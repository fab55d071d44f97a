import type { Lack, Spec } from "@ncolony/core";
import type { Controller } from "./controllers.ts";
import type { KillScopes } from "./kill_scopes.ts";

/** Returns what keeps a valid config from being used on this machine. Null if nothing does. */
export function whatIsLacking({ killScope, daemonizes, limits }: Spec, scopes: KillScopes): Lack | null {
  const noScope = scopes.whyNot(killScope);
  if (noScope !== null) return lack("kill_scope", `"${killScope}" is not available: ${noScope}`);
  const noCgroup = scopes.whyNot("cgroup");
  if (daemonizes && noCgroup !== null) return lack("daemonizes", `needs cgroups: ${noCgroup}`);
  const wanted: readonly (readonly [keyof typeof limits, string, Controller])[] = [
    ["memoryBytes", "limits.memory", "memory"],
    ["cpus", "limits.cpu", "cpu"],
    ["pids", "limits.pids", "pids"],
  ];
  for (const [limit, key, controller] of wanted) {
    if (limits[limit] === undefined) continue;
    const why = noCgroup ?? scopes.cgroups!.controllers.enable(controller);
    if (why !== null) return lack(key, `cannot be limited: ${why}`);
  }
  return null;
}

function lack(key: string, reason: string): Lack {
  const field = `ncolony.monitor.${key}`;
  return { field, reason: `"${field}" ${reason}` };
}
