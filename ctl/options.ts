import { MAX_ID, UsageError } from "@ncolony/core";
import {
  COLONY_OPTION,
  COMMON_OPTIONS,
  lastValue,
  type Option,
  optionsHelp,
  type ParsedArgs,
  parseWords,
  requiredPlace,
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
  /** The kind of command. */
  readonly type: "add";
  /** The name of the process. */
  readonly name: string;
  /** The command. */
  readonly cmd: string;
  /** The arguments of the command. */
  readonly args: readonly string[];
  /** Environment variables. Absent if none was given. */
  readonly env?: Readonly<Record<string, string>>;
  /** Names of variables that are copied from the monitor's environment. Absent if none was given. */
  readonly envInherit?: readonly string[];
  /** The user id to run as. */
  readonly uid?: number;
  /** The group id to run as. */
  readonly gid?: number;
  /** A JSON object, or the path of a file that holds one. */
  readonly extras?: string;
}

/** A command that shows something, with its words and options. */
export interface Report {
  /** The kind of command. */
  readonly type: "status" | "why";
  /** The command line. */
  readonly words: ParsedArgs;
}

/** A parsed command line of ctl. */
export interface Parsed {
  /** The command, if it shows something. */
  readonly report?: Report;
  /** The directories and the command. Null if `--help` or `--version` was given. */
  readonly request: { readonly places: Places; readonly command: Command } | null;
  /** The flags that were given, `help` or `version`. */
  readonly flags: ReadonlySet<string>;
}

const PLACES: readonly Option[] = [
  COLONY_OPTION,
  { name: "messages", value: "DIR", help: "the monitor's messages directory; required" },
  { name: "config", value: "DIR", help: "the monitor's config directory; required" },
  { name: "status", value: "DIR", help: "the monitor's status directory" },
];

const ADD: readonly Option[] = [
  { name: "cmd", value: "CMD", help: "the command; required" },
  { name: "arg", value: "ARG", help: "an argument, may begin with -; repeatable" },
  { name: "env", value: "NAME=VALUE", help: "an environment variable; repeatable" },
  { name: "env-inherit", value: "NAME", help: "inherit a variable from the monitor; repeatable" },
  { name: "uid", value: "UID", help: "the user id to run as" },
  { name: "gid", value: "GID", help: "the group id to run as" },
  { name: "extras", value: "JSON", help: "more keys: a JSON object, or a file with one" },
];

const STATUS: readonly Option[] = [
  { name: "group", value: "GROUP", help: "only the processes of a group" },
  { name: "wide", help: "also show usage, and removed processes" },
  { name: "watch", help: "show it again when something changes" },
];

const JSON_OPTION: Option = { name: "json", help: "print a JSON document" };

const NAME: Option = { name: "name", value: "NAME", help: "another way to give NAME" };

/** The text of `--help`. */
export const HELP = `ncolony-ctl: add, change, remove and restart the processes of a colony.

Usage: ncolony-ctl --colony DIR COMMAND

Commands:
  add NAME --cmd CMD [options]   add a process, or change one
  remove NAME                    stop a process for good
  restart NAME                   restart a process
  restart-all                    restart every process
  restart-group GROUP            restart every process of a group
  status [NAME…] [options]       show how the processes are
  why NAME                       tell how a process came to where it is

Options:
${optionsHelp([...PLACES, NAME, ...COMMON_OPTIONS])}

Options of add:
${optionsHelp(ADD)}

Options of status (--json also of why):
${optionsHelp([...STATUS, JSON_OPTION])}

Exit codes: 0 as asked, 1 an error, 2 a wrong command line, 3 a process is not
well, 4 no such process, no monitor or no status.`;

/**
 * Parses a command line. A first word `ctl` is ignored, as in Python NColony.
 *
 * @throws {UsageError} If the command line is invalid. The message names the option.
 */
export function parseOptions(argv: readonly string[]): Parsed {
  const words = parseWords(argv[0] === "ctl" ? argv.slice(1) : argv, [
    ...PLACES,
    NAME,
    ...ADD,
    ...STATUS,
    JSON_OPTION,
    ...COMMON_OPTIONS,
  ]);
  const { flags } = words;
  if (flags.has("help") || flags.has("version")) return { request: null, flags };
  rejectStray(words);
  const [type] = words.words;
  if (type === "status" || type === "why") return { request: null, report: { type, words }, flags };
  const command = parseCommand(words);
  const places = { config: requiredPlace(words, "config"), messages: requiredPlace(words, "messages") };
  if (places.config.replace(/\/+$/, "") === places.messages.replace(/\/+$/, "")) {
    throw new UsageError("--config and --messages are the same directory");
  }
  return { request: { places, command }, flags };
}

/** Rejects options of another command. */
function rejectStray({ values, flags, words: [command] }: ParsedArgs): void {
  if (flags.has("json") && command !== "status" && command !== "why") {
    throw new UsageError("--json can only be used with status and why");
  }
  for (const [owner, options] of Object.entries({ add: ADD, status: STATUS })) {
    if (command === owner) continue;
    const stray = options.find(({ name }) => flags.has(name) || (values.get(name) ?? []).length > 0);
    if (stray !== undefined) throw new UsageError(`--${stray.name} can only be used with ${owner}`);
  }
}

function parseCommand(words: ParsedArgs): Command {
  const [type, ...rest] = words.words;
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
      throw new UsageError("command missing: use add, remove, restart, restart-all, restart-group, status or why");
    default:
      throw new UsageError(`unknown command ${JSON.stringify(type)}`);
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
  if (words.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(words[0])}`);
}

function parseVariable(text: string): [string, string] {
  const split = text.indexOf("=");
  // Do not show the text: it may be a secret whose name was forgotten.
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
