import { UsageError } from "@ncolony/core";
import { type Option, type ParsedArgs, parseWords } from "@ncolony/host/tool";
import { type Command, COMMANDS, OPTIONS } from "./commands.ts";
import { nearest } from "@ncolony/host/tool";

/**
 * Parses a command line. A first word `ctl` is ignored, as in Python NColony. `help COMMAND` is `COMMAND --help`.
 *
 * @throws {UsageError} If there is no such command, or an option is unknown or belongs to another command.
 */
export function parseOptions(argv: readonly string[]): ParsedArgs {
  const args = parseWords(argv[0] === "ctl" ? argv.slice(1) : argv, OPTIONS);
  const { words: [command, ...rest], flags } = args;
  if (command === "help") return { ...args, words: rest, flags: new Set([...flags, "help"]) };
  if (!args.flags.has("help") && !args.flags.has("version")) rejectStray(args, commandOf(args));
  return args;
}

/** Returns the command of a command line. @throws {UsageError} If there is none, or it is unknown. */
export function commandOf({ words: [name] }: ParsedArgs): Command {
  if (name === undefined) throw new UsageError("command missing");
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name]!;
  const meant = nearest(name, Object.keys(COMMANDS));
  throw new UsageError(`unknown command ${JSON.stringify(name)}${meant === null ? "" : `: did you mean ${meant}?`}`);
}

/** Rejects options of other commands. */
function rejectStray({ values, flags }: ParsedArgs, { options: own }: Command): void {
  const given = ({ name }: Option) => flags.has(name) || (values.get(name) ?? []).length > 0;
  for (const { name } of Object.values(COMMANDS).flatMap(({ options }) => options.filter(given))) {
    if (own.some((option) => option.name === name)) continue;
    const owners = Object.keys(COMMANDS).filter((other) => COMMANDS[other]!.options.some((it) => it.name === name));
    throw new UsageError(`--${name} can only be used with ${owners.join(", ")}`);
  }
}
