import type { Option } from "@ncolony/host/tool";

/** What a command line consists of. */
export interface Grammar {
  /** The commands, by their names. */
  readonly commands: Readonly<Record<string, { readonly usage: string; readonly options: readonly Option[] }>>;
  /** The options that every command takes. */
  readonly places: readonly Option[];
}

/** What a command line can name. It is only looked up when it is needed. */
export interface Nameable {
  /** Returns the names of processes. */
  readonly processes: () => readonly string[];
  /** Returns the names of groups of processes. */
  readonly groups: () => readonly string[];
}

/** The words that some options take. */
const VALUES: Readonly<Record<string, readonly string[]>> = { stream: ["out", "err"], run: ["last"] };

const HELP: Option = { name: "help", help: "" };

/**
 * Completes the last word of a command line.
 *
 * @param words The words after the program's name. The last one is being typed, and may be empty.
 * @param grammar What it consists of.
 * @param nameable What it can name.
 * @returns All words that begin with it. None where a file can be named.
 */
export function completions(words: readonly string[], grammar: Grammar, nameable: Nameable): string[] {
  const [last = "", ...before] = words.toReversed();
  const typed = before.reverse();
  return candidates(typed, last, grammar, nameable).filter((word) => word.startsWith(last)).sort();
}

function candidates(
  typed: readonly string[],
  last: string,
  grammar: Grammar,
  { processes, groups }: Nameable,
): readonly string[] {
  const { commands } = grammar;
  const { operands: [name, ...operands], pending } = split(typed, grammar);
  if (pending === "name") return processes();
  if (pending === "group") return groups();
  if (pending !== null) return VALUES[pending] ?? [];
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name]! : null;
  if (last.startsWith("-")) {
    return [...command?.options ?? [], ...grammar.places, HELP].map((option) => `--${option.name}`);
  }
  if (name === undefined || name === "help") return [...Object.keys(commands), ...name === undefined ? ["help"] : []];
  const { usage } = command ?? { usage: "" };
  if (/ NAME…|\[NAME…\]/.test(usage)) return processes().filter((process) => !operands.includes(process));
  if (operands.length > 0) return [];
  if (/ NAME\b/.test(usage)) return processes();
  if (/ GROUP\b/.test(usage)) return groups();
  return /\bSHELL\b/.test(usage) ? ["bash", "zsh"] : [];
}

/** Returns the operands among words, and the option whose value comes next, or null. */
function split(
  typed: readonly string[],
  { commands, places }: Grammar,
): { readonly operands: readonly string[]; readonly pending: string | null } {
  const valued = [...places, ...Object.values(commands).flatMap(({ options }) => options)].filter(({ value }) => value);
  const operands: string[] = [];
  let pending: string | null = null;
  for (const word of typed) {
    if (pending !== null) pending = null;
    else if (!word.startsWith("-")) operands.push(word);
    else pending = valued.find(({ name }) => word === `--${name}`)?.name ?? null;
  }
  return { operands, pending };
}
