import type { Oddity } from "./extra_keys.ts";
import type { Spec } from "./types.ts";

/** The commands that understand what only a shell does. */
const SHELL = /(?:^|\/)(?:ba|da|z|k|fi)?sh$/;

/** Words that mean something to a shell alone. */
const OPERATOR = /^(?:&&|\|\|?|\d?>>?|\d?>&\d|<)$/;

/** The use of a variable: `$HOME`, `${PORT}`. What awk and perl write is mostly shorter. */
const VARIABLE = /\$\{?[A-Z][A-Z_]{2}/;

/** One word that is a command with its arguments. A path may have spaces. */
const LINE = /^[^/\s]+\s|\s[-|>&$]/;

/** An option of a shell, perl or python that a script follows. */
const SCRIPT = /^-\w*[ce]\w*$/;

/** A path that a shell would take to be in a home directory. */
const HOME = /^~(?:\/|$)/;

const BY_SHELL = 'use ["/bin/sh", "-c", "…"]';

/** Finds what is valid in a config, but looks as if it was written for a shell, which does not read it. */
export function oddWords({ args, env, cwd }: Spec): Oddity[] {
  const [command, ...words] = args;
  const isShell = SHELL.test(command) || words.some((word) => SCRIPT.test(word));
  const odd = (field: string, isOdd: boolean, what: string): Oddity[] =>
    isOdd ? [{ field, message: `"${field}" ${what}` }] : [];
  const isLine = words.length === 0 && LINE.test(command);
  const forShell = isShell ? [] : [
    ...odd("args", words.some((word) => OPERATOR.test(word)), `has a word that only a shell understands: ${BY_SHELL}`),
    ...odd("args", args.some((word) => VARIABLE.test(word)), `has a $ that only a shell replaces: ${BY_SHELL}`),
  ];
  return [
    ...odd("args", isLine, `is one word with spaces: give each word a string of its own, or ${BY_SHELL}`),
    ...isLine ? [] : forShell,
    ...odd("args", args.some((word) => HOME.test(word)), "has a word that begins with ~, which nothing replaces"),
    ...Object.entries(env).flatMap(([name, value]) => [
      ...odd(`env.${name}`, HOME.test(value), "begins with ~, which nothing replaces"),
      ...odd(`env.${name}`, VARIABLE.test(value), "has a $, which nothing replaces"),
    ]),
    ...odd("ncolony.monitor.cwd", cwd !== undefined && /\/~(?:\/|$)/.test(cwd), "has a ~, which nothing replaces"),
  ];
}
