import { fileNameFault, isIgnored, UsageError } from "@ncolony/core";
import { mayRead, namesIn, type ParsedArgs, parseWords, placeValue, printShown } from "@ncolony/host/tool";
import { completions, type Grammar } from "../complete.ts";
import { COMPLETION_SCRIPTS } from "../completion_scripts.ts";
import { groupsIn } from "../members.ts";

/**
 * Prints a script that completes command lines in a shell: `completions SHELL`. The script calls
 * `completions SHELL -- WORD…` to complete the last word. That prints a line for each word that it can be.
 *
 * @returns The exit code.
 */
export function run(args: ParsedArgs, grammar: Grammar): number {
  const [shell, ...words] = args.words.slice(1);
  if (shell === undefined || !Object.hasOwn(COMPLETION_SCRIPTS, shell)) {
    throw new UsageError(`completions needs a SHELL: ${Object.keys(COMPLETION_SCRIPTS).join(" or ")}`);
  }
  if (words.length === 0) printShown(COMPLETION_SCRIPTS[shell]!);
  const config = placeIn(words, grammar.places);
  const found = words.length === 0 ? [] : completions(words, grammar, {
    processes: () => config === null ? [] : namesOf(config),
    groups: () => config === null ? [] : groupsIn(config),
  });
  // The shell shows them on a terminal.
  for (const word of found) if (!HIDDEN.test(word)) printShown(word);
  return 0;
}

/** Control characters, and others that a name on a terminal should not have. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Returns the config directory that a command line names. Null if it names none, or that may not be read. */
function placeIn(words: readonly string[], places: Grammar["places"]): string | null {
  const given = ["config", "colony"].flatMap((name) => {
    const joined = words.findLast((word) => word.startsWith(`--${name}=`));
    const at = words.lastIndexOf(`--${name}`, -2);
    return joined !== undefined ? [joined] : at < 0 ? [] : [`--${name}=${words[at + 1]}`];
  });
  const config = placeValue(parseWords(given, places), "config");
  return config !== undefined && mayRead(config) ? config : null;
}

function namesOf(config: string): string[] {
  return (namesIn(config) ?? []).filter((name) => !isIgnored(name) && fileNameFault(name) === null);
}
