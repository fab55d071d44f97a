import type { JsonObject } from "./json.ts";
import { plainKey } from "./plain_key.ts";
import { quotedName } from "./shown.ts";
import { MONITOR_KEYS } from "./spec.ts";

/** A key of a config that looks like a mistake, though it is allowed. */
export interface Oddity {
  /** The path of the key. */
  readonly field: string;
  /** What is odd, as a sentence without a stop. */
  readonly message: string;
}

/** The keys that the monitor reads at the top of a config. */
const TOP_KEYS = ["args", "env", "env_inherit", "gid", "group", "uid"];

/** The `ncolony.*` keys of a config that a tool reads. */
const SECTIONS = ["ncolony.monitor", "ncolony.beatcheck", "ncolony.httpcheck"];

/** What other supervisors call these keys. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  args: ["argv", "cmd", "command", "exec", "program"],
  env: ["environ", "environment"],
  "ncolony.monitor": ["ncolony"],
  "ncolony.monitor.cwd": ["chdir", "directory", "workdir", "working_directory"],
  "ncolony.monitor.enabled": ["autostart"],
  "ncolony.monitor.kill_time": ["stop_timeout", "stopwaitsecs"],
  "ncolony.monitor.user": ["username"],
};

const MEANT: ReadonlyMap<string, string> = new Map([
  ...Object.entries(SYNONYMS).flatMap(([key, words]) => words.map((word): [string, string] => [plainKey(word), key])),
  ...MONITOR_KEYS.map((key): [string, string] => [plainKey(key), `ncolony.monitor.${key}`]),
  ...[...TOP_KEYS, ...SECTIONS].map((key): [string, string] => [plainKey(key), key]),
]);

/**
 * Finds the keys of a config that are extras, but look like misspelt or misplaced keys of NColony. Extras are allowed,
 * and their values may be anything.
 *
 * @param config The config.
 * @param nearest Returns the known word that a misspelt one most likely stands for.
 */
export function extraKeys(config: JsonObject, nearest: (word: string, known: readonly string[]) => string): Oddity[] {
  return Object.keys(config).filter((key) => !TOP_KEYS.includes(key) && !SECTIONS.includes(key)).flatMap((key) => {
    const section = SECTIONS.find((name) => key.startsWith(`${name}.`));
    if (section !== undefined) {
      const inner = quotedName(key.slice(section.length + 1));
      return [extra(key, `did you mean ${inner} in ${quotedName(section)}?`)];
    }
    if (key.startsWith("ncolony.")) {
      return [{ field: key, message: `unknown key ${quotedName(key)}: did you mean "${nearest(key, SECTIONS)}"?` }];
    }
    const meant = MEANT.get(plainKey(key));
    return meant === undefined ? [] : [extra(key, `did you mean "${meant}"?`)];
  });
}

function extra(field: string, hint: string): Oddity {
  return { field, message: `${quotedName(field)} is an extra, which NColony ignores: ${hint}` };
}
