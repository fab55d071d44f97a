import { MAX_SECONDS, parseBytes, UsageError } from "@ncolony/core";
import { parseArgs } from "@std/cli/parse-args";
import { LOG_FORMATS, LOG_LEVELS } from "../output/log_options.ts";
import type { OutputOptions } from "../output/output.ts";

/** An option of a command line, for the parser and `--help`. */
export interface Option {
  /** Its name, without the dashes. */
  readonly name: string;
  /** Other names for it. */
  readonly aliases?: readonly string[];
  /** Its one-letter name. */
  readonly short?: string;
  /** The placeholder of its value in the help text. An option without one takes no value. */
  readonly value?: string;
  /** What it means, in a few words. */
  readonly help: string;
}

/** A parsed command line. */
export interface ParsedArgs {
  /** The values of each option, in the given order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** The options without a value that were given. */
  readonly flags: ReadonlySet<string>;
  /** All other arguments. */
  readonly words: readonly string[];
}

/** The options of every tool. */
export const COMMON_OPTIONS: readonly Option[] = [
  { name: "help", short: "h", help: "show this text and exit" },
  { name: "version", help: "show the version and exit" },
];

/** The options of every long-running tool. */
export const LOG_OPTIONS: readonly Option[] = [
  { name: "log-level", value: "LEVEL", help: "lowest level: debug, info, warn or error [info]" },
  { name: "log-format", value: "FORMAT", help: "text, or json: one object per line [text]" },
  { name: "log-file", value: "FILE", help: "append all output to FILE instead" },
];

/** The option of long-running tools that show the output of children. */
export const RAW_OPTION: Option = { name: "raw", help: "do not escape control characters on a terminal" };

/**
 * Parses a command line.
 *
 * The value of an option follows `=`, or is the next word, even if that begins with a dash: `--arg --config=/etc/x` is
 * Python NColony's own example. After `--`, everything is a word.
 *
 * @throws {UsageError} If an option is unknown, lacks its value, or has a value that it does not take.
 */
export function parseWords(argv: readonly string[], options: readonly Option[]): ParsedArgs {
  const valued = options.filter((option) => option.value !== undefined).map((option) => option.name);
  const flags = options.filter((option) => option.value === undefined).map((option) => option.name);
  const args = parseArgs(attachValues(argv, options), { string: [...valued, "_"], collect: valued, boolean: flags });
  return {
    // Each value begins with the "=" that tells empty values from missing ones.
    values: new Map(valued.map((name) => [name, ((args[name] ?? []) as string[]).map((value) => value.slice(1))])),
    flags: new Set(flags.filter((name) => args[name])),
    words: args._.map(String),
  };
}

/** Gives every option its long name, and attaches its value, so that it cannot be taken for anything else. */
function attachValues(argv: readonly string[], options: readonly Option[]): string[] {
  const attached: string[] = [];
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") return [...attached, "--", ...rest];
    const match = /^(?:--([^=]+)(?:=(.*))?|-([a-zA-Z])(.+)?)$/s.exec(word);
    if (match === null) {
      if (word.startsWith("-") && word !== "-") throw new UsageError(`unknown option ${word}`);
      attached.push(word);
      continue;
    }
    const [, long, inline, short, joined] = match;
    const option = options.find(({ name, aliases = [], ...it }) =>
      long === undefined ? it.short === short : name === long || aliases.includes(long)
    );
    const shown = long === undefined ? `-${short}` : `--${long}`;
    if (option === undefined) throw new UsageError(`unknown option ${shown}`);
    const value = long === undefined ? joined : inline;
    if (option.value === undefined) {
      if (value !== undefined) throw new UsageError(`${shown} takes no value`);
      attached.push(`--${option.name}`);
    } else {
      const given = value ?? rest.shift();
      if (given === undefined) throw new UsageError(`${shown} needs a value: ${option.value}`);
      attached.push(`--${option.name}==${given}`);
    }
  }
  return attached;
}

/** Returns the last value of an option, or undefined if it was not given. */
export function lastValue(words: ParsedArgs, name: string): string | undefined {
  return words.values.get(name)?.at(-1);
}

/** Returns the last value of an option, or undefined if it was not given. @throws {UsageError} If it is empty. */
export function textValue(words: ParsedArgs, name: string, value: string): string | undefined {
  const text = lastValue(words, name);
  if (text === "") throw new UsageError(`--${name} needs a value: ${value}`);
  return text;
}

/** Returns the last value of a required option. @throws {UsageError} If it is missing or empty. */
export function requiredValue(words: ParsedArgs, name: string): string {
  const value = lastValue(words, name);
  if (value === undefined || value === "") throw new UsageError(`--${name} is missing`);
  return value;
}

/**
 * Returns the last value of an option in seconds, fractions allowed, or `otherwise` if it was not given.
 *
 * @throws {UsageError} If it is not a number from `min` to 1e9.
 */
export function secondsValue(words: ParsedArgs, name: string, otherwise: number, min = 0): number {
  const text = lastValue(words, name);
  if (text === undefined) return otherwise;
  const seconds = text.trim() === "" ? NaN : Number(text);
  if (seconds >= min && seconds <= MAX_SECONDS) return seconds;
  throw new UsageError(
    `--${name} must be a number of seconds from ${min} to ${MAX_SECONDS}: got ${JSON.stringify(text)}`,
  );
}

/** Returns the last value of an integer option, or undefined. @throws {UsageError} If it is not from `min` to `max`. */
export function countValue(words: ParsedArgs, name: string, min = 1, max = 999_999_999): number | undefined {
  const text = lastValue(words, name);
  if (text === undefined) return undefined;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (count >= min && count <= max) return count;
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}: got ${JSON.stringify(text)}`);
}

/**
 * Returns the last value of an option in bytes, such as `4096`, `500K`, `10M` or `1G`, or undefined. Each unit is 1024
 * times the last.
 *
 * @throws {UsageError} If it is not a number of bytes from `min` to `max`.
 */
export function bytesValue(words: ParsedArgs, name: string, min: number, max: number): number | undefined {
  const text = lastValue(words, name);
  if (text === undefined) return undefined;
  const bytes = parseBytes(text);
  if (bytes !== null && bytes >= min && bytes <= max) return bytes;
  throw new UsageError(
    `--${name} must be a number of bytes from ${min} to ${max}, such as 10M: got ${JSON.stringify(text)}`,
  );
}

/** Returns what {@linkcode LOG_OPTIONS} and {@linkcode RAW_OPTION} set. @throws {UsageError} If a value is invalid. */
export function outputOptions(words: ParsedArgs): OutputOptions {
  const file = textValue(words, "log-file", "FILE");
  return {
    level: choiceValue(words, "log-level", LOG_LEVELS, "info"),
    format: choiceValue(words, "log-format", LOG_FORMATS, "text"),
    ...(file === undefined ? {} : { file }),
    ...(words.flags.has("raw") ? { raw: true } : {}),
  };
}

/** Returns the last value of an option, or `otherwise`. @throws {UsageError} If it is none of the `choices`. */
export function choiceValue<T extends string>(words: ParsedArgs, name: string, choices: readonly T[], otherwise: T): T {
  const text = lastValue(words, name) ?? otherwise;
  const found = choices.find((one) => one === text);
  if (found === undefined) {
    throw new UsageError(`--${name} must be one of ${choices.join(", ")}: got ${JSON.stringify(text)}`);
  }
  return found;
}

/** Returns the lines of `--help` for some options. */
export function optionsHelp(options: readonly Option[]): string {
  const lines = options.map(({ name, short, value, help }) => {
    const left = `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
    return `  ${left.padEnd(29)} ${help}`;
  });
  return lines.join("\n");
}
