import type { Spec } from "./types.ts";

/**
 * The exact environment of a child: `env`, over it what `env_inherit` names, over it `NCOLONY_NAME` and
 * `NCOLONY_CONFIG` (the config's text, unchanged). Nothing else is inherited.
 *
 * @param spec What is to be started.
 * @param environ Looks a variable of the monitor's own environment up; what is unset there is empty in the child's, as
 * Python NColony has it.
 */
export function childEnv(spec: Spec, environ: (name: string) => string | undefined): Record<string, string> {
  return Object.fromEntries([
    ...Object.entries(spec.env),
    ...spec.envInherit.map((name): [string, string] => [name, environ(name) ?? ""]),
    ["NCOLONY_NAME", spec.name],
    ["NCOLONY_CONFIG", spec.source],
  ]);
}
