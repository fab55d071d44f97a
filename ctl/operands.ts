import { UsageError } from "@ncolony/core";
import type { ParsedArgs } from "@ncolony/host/tool";

/** Returns the operands of a command: the values of `--name`, and then the words after the command. */
export function operands({ values, words }: ParsedArgs): string[] {
  return [...values.get("name") ?? [], ...words.slice(1)];
}

/** Returns the names of processes, each once. @throws {UsageError} If there are none. */
export function someNames(args: ParsedArgs): string[] {
  const names = operands(args);
  if (names.length === 0) throw new UsageError(`${args.words[0]} needs a NAME`);
  return [...new Set(names)];
}

/**
 * Returns the operands of a command that takes exactly so many.
 *
 * @param what What each of them is.
 * @throws {UsageError} If there are fewer or more.
 */
export function exactly<const T extends readonly string[]>(args: ParsedArgs, ...what: T): { [K in keyof T]: string } {
  const given = operands(args);
  if (given.length < what.length) throw new UsageError(`${args.words[0]} needs a ${what.join(" and a ")}`);
  if (given.length > what.length) throw new UsageError(`unexpected argument ${JSON.stringify(given[what.length])}`);
  return given as { [K in keyof T]: string };
}
