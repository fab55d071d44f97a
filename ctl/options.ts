import { MAX_ID, UsageError } from "@ncolony/core";
import {
  COMMON_OPTIONS,
  lastValue,
  type Option,
  optionsHelp,
  type ParsedArgs,
  parseWords,
  requiredValue,
} from "@ncolony/host/tool";
import type { Places } from "./ctl.ts";

/** A command of ctl, parsed. */
export type Command =
  | { readonly type: "restart-all" }
  | { readonly type: "restart-group"; readonly group: string }
  | { readonly type: "restart" | "remove"; readonly name: string }
  | Add;

/** The command `add`, parsed. */
export interface Add {
  /** Tells the commands apart. */
  readonly type: "add";
  /** The name of the process. */
  readonly name: string;
  /** The command. */
  readonly cmd: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Environment variables; absent where none was given. */
  readonly env?: Readonly<Record<string, string>>;
  /** Names of variables to inherit; absent where none was given. */
  readonly envInherit?: readonly string[];
  /** The user id. */
  readonly uid?: number;
  /** The group id. */
  readonly gid?: number;
  /** A JSON object, or the path of a file that holds one. */
  readonly extras?: string;
}

/** What a command line of ctl asks for. */
export interface Parsed {
  /** Where, and what to do; null where `--help` or `--version` ask for something else. */
  readonly request: { readonly places: Places; readonly command: Command } | null;
  /** `help`, `version`. */
  readonly flags: ReadonlySet<string>;
}

const PLACES: readonly Option[] = [
  { name: "messages", value: "DIR", help: "the monitor's messages directory; required" },
  { name: "config", value: "DIR", help: "the monitor's config directory; required" },
];

const ADD: readonly Option[] = [
  { name: "cmd", value: "CMD", help: "the command; required" },
  { name: "arg", value: "ARG", help: "an argument, whatever it begins with; repeat" },
  { name: "env", value: "NAME=VALUE", help: "an environment variable; repeat" },
  { name: "env-inherit", value: "NAME", help: "a variable to take from the monitor; repeat" },
  { name: "uid", value: "UID", help: "the user id to run as" },
  { name: "gid", value: "GID", help: "the group id to run as" },
  { name: "extras", value: "JSON", help: "more keys: a JSON object, or a file of one" },
];

const NAME: Option = { name: "name", value: "NAME", help: "another way to give NAME" };

/** The text of `--help`. */
export const HELP = `ncolony-ctl: add, change, remove and restart the processes of a colony.

Usage: ncolony-ctl --messages DIR --config DIR COMMAND

Commands:
  add NAME --cmd CMD [options]   add a process, or change one
  remove NAME                    stop a process for good
  restart NAME                   restart a process
  restart-all                    restart every process
  restart-group GROUP            restart every process of a group

Options:
${optionsHelp([...PLACES, NAME, ...COMMON_OPTIONS])}

Options of add:
${optionsHelp(ADD)}

Exit codes: 0 written, 1 an error, 2 a wrong command line.`;

/**
 * Parses a command line. A first word `ctl` is passed over, as in Python NColony.
 *
 * @throws {UsageError} Where it is wrong; the message names the option.
 */
export function parseOptions(argv: readonly string[]): Parsed {
  const words = parseWords(argv[0] === "ctl" ? argv.slice(1) : argv, [...PLACES, NAME, ...ADD, ...COMMON_OPTIONS]);
  const { flags } = words;
  if (flags.has("help") || flags.has("version")) return { request: null, flags };
  const command = parseCommand(words);
  const places = { config: requiredValue(words, "config"), messages: requiredValue(words, "messages") };
  if (places.config.replace(/\/+$/, "") === places.messages.replace(/\/+$/, "")) {
    throw new UsageError("--config and --messages are the same directory");
  }
  return { request: { places, command }, flags };
}

function parseCommand(words: ParsedArgs): Command {
  const [type, ...rest] = words.words;
  if (type !== "add") {
    const stray = [...words.values].find(([name, values]) => ADD.some((it) => it.name === name) && values.length > 0);
    if (stray !== undefined) throw new UsageError(`--${stray[0]} goes with add`);
  }
  switch (type) {
    case "add":
      return parseAdd(words, parseName(words, rest));
    case "remove":
    case "restart":
      return { type, name: parseName(words, rest) };
    case "restart-all":
      expectNoMore(rest);
      return { type };
    case "restart-group": {
      const [group, ...more] = rest;
      if (group === undefined) throw new UsageError("restart-group needs a GROUP");
      expectNoMore(more);
      return { type, group };
    }
    case undefined:
      throw new UsageError("a command is missing: add, remove, restart, restart-all or restart-group");
    default:
      throw new UsageError(`${JSON.stringify(type)} is no command`);
  }
}

function parseAdd(words: ParsedArgs, name: string): Add {
  const [env, envInherit] = [words.values.get("env") ?? [], words.values.get("env-inherit") ?? []];
  const [uid, gid, extras] = [parseId(words, "uid"), parseId(words, "gid"), lastValue(words, "extras")];
  return {
    type: "add",
    name,
    cmd: requiredValue(words, "cmd"),
    args: words.values.get("arg") ?? [],
    ...(env.length === 0 ? {} : { env: Object.fromEntries(env.map(parseVariable)) }),
    ...(envInherit.length === 0 ? {} : { envInherit }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(extras === undefined ? {} : { extras }),
  };
}

function parseName(words: ParsedArgs, rest: readonly string[]): string {
  const [name, ...more] = [...words.values.get("name") ?? [], ...rest];
  if (name === undefined) throw new UsageError(`${words.words[0]} needs a NAME`);
  expectNoMore(more);
  return name;
}

function expectNoMore(words: readonly string[]): void {
  if (words.length > 0) throw new UsageError(`${JSON.stringify(words[0])} is one word too many`);
}

function parseVariable(text: string): [string, string] {
  const split = text.indexOf("=");
  // The text is not shown: it may well be a secret whose name was forgotten.
  if (split < 1) throw new UsageError("--env must be NAME=VALUE");
  return [text.slice(0, split), text.slice(split + 1)];
}

function parseId(words: ParsedArgs, name: string): number | undefined {
  const text = lastValue(words, name);
  if (text === undefined) return undefined;
  const id = /^\d+$/.test(text) ? Number(text) : NaN;
  if (id <= MAX_ID) return id;
  throw new UsageError(`--${name} must be an integer from 0 to ${MAX_ID}: got ${JSON.stringify(text)}`);
}
