import type { Spec } from "./types.ts";

/**
 * Returns the exact environment of a child: `env`, overridden by the variables that `env_inherit` names, overridden by
 * `NCOLONY_NAME` and `NCOLONY_CONFIG` (the unchanged text of the config). Nothing else is inherited.
 *
 * @param spec What to start.
 * @param environ Looks up a variable of the monitor's own environment. A variable that is unset there is empty in the
 * child, as in Python NColony.
 */
export function childEnv(spec: Spec, environ: (name: string) => string | undefined): Record<string, string> {
  return Object.fromEntries([
    ...Object.entries(spec.env),
    ...spec.envInherit.map((name): [string, string] => [name, environ(name) ?? ""]),
    ["NCOLONY_NAME", spec.name],
    ["NCOLONY_CONFIG", spec.source],
  ]);
}
