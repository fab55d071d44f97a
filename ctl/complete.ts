import type { Option } from "@ncolony/host/tool";
import { COMMANDS, PLACES } from "./commands.ts";

/** What a command line can name. It is only looked up when it is needed. */
export interface Nameable {
  /** Returns the names of processes. */
  readonly processes: () => readonly string[];
  /** Returns the names of groups of processes. */
  readonly groups: () => readonly string[];
}

const HELP: Option = { name: "help", help: "" };

/**
 * Completes the last word of a command line.
 *
 * @param words The words after the program's name. The last one is being typed, and may be empty.
 * @param nameable What it can name.
 * @returns All words that begin with it. None where a file can be named.
 */
export function completions(words: readonly string[], nameable: Nameable): string[] {
  const [last = "", ...before] = words.toReversed();
  const typed = before.reverse();
  return candidates(typed, last, nameable).filter((word) => word.startsWith(last)).sort();
}

function candidates(typed: readonly string[], last: string, { processes, groups }: Nameable): readonly string[] {
  const { operands: [name, ...operands], pending } = split(typed);
  if (pending !== null) return pending === "name" ? processes() : pending === "group" ? groups() : [];
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name]! : null;
  if (last.startsWith("-")) return optionsOf(name).map((option) => `--${option.name}`);
  if (name === undefined || name === "help") return [...Object.keys(COMMANDS), ...name === undefined ? ["help"] : []];
  const { usage } = command ?? { usage: "" };
  if (/ NAME…|\[NAME…\]/.test(usage)) return processes().filter((process) => !operands.includes(process));
  if (operands.length > 0) return [];
  if (/ NAME\b/.test(usage)) return processes();
  if (/ GROUP\b/.test(usage)) return groups();
  return /\bSHELL\b/.test(usage) ? ["bash", "zsh"] : [];
}

function optionsOf(name: string | undefined): readonly Option[] {
  const own = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name]!.options : [];
  return [...own, ...PLACES, HELP];
}

/** Returns the operands among words, and the option whose value comes next, or null. */
function split(typed: readonly string[]): { readonly operands: readonly string[]; readonly pending: string | null } {
  const valued = [...PLACES, ...Object.values(COMMANDS).flatMap(({ options }) => options)].filter(({ value }) => value);
  const operands: string[] = [];
  let pending: string | null = null;
  for (const word of typed) {
    if (pending !== null) pending = null;
    else if (!word.startsWith("-")) operands.push(word);
    else pending = valued.find(({ name }) => word === `--${name}`)?.name ?? null;
  }
  return { operands, pending };
}
