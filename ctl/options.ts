import { MAX_ID, UsageError } from "@ncolony/core";
import {
  countValue,
  lastValue,
  type Option,
  type ParsedArgs,
  parseWords,
  requiredPlace,
  requiredValue,
  secondsValue,
} from "@ncolony/host/tool";
import { closestString } from "@std/text/closest-string";
import type { Places } from "./ctl.ts";
import type { Wait } from "./order.ts";
import { COMMANDS, helpOf, OPTIONS } from "./help.ts";

/** How long `--wait` waits, in seconds. */
const DEFAULT_TIMEOUT = 30;

/** A command of ctl, parsed. */
export type Command =
  | { readonly type: "restart-all" }
  | { readonly type: "restart-group"; readonly group: string }
  | { readonly type: "restart" | "remove" | "start" | "stop"; readonly names: readonly string[] }
  | { readonly type: "patch"; readonly name: string; readonly change: string }
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

/** A command that changes something. */
export interface Request {
  /** The directories of the colony. */
  readonly places: Places;
  /** The command. */
  readonly command: Command;
  /** Whether to ask for what cannot be done. */
  readonly isForced: boolean;
  /** How to wait until it is done. Null: not at all. */
  readonly wait: Wait | null;
}

/** A parsed command line of ctl. */
export interface Parsed {
  /** The command, if it shows something. */
  readonly report?: Report;
  /** What to change. Null if nothing. */
  readonly request: Request | null;
  /** The text of `--help`, if that was given. */
  readonly help?: string;
  /** The flags that were given, `help` or `version`. */
  readonly flags: ReadonlySet<string>;
}

/**
 * Parses a command line. A first word `ctl` is ignored, as in Python NColony.
 *
 * @throws {UsageError} If the command line is invalid. The message names the option.
 */
export function parseOptions(argv: readonly string[]): Parsed {
  const words = parseWords(argv[0] === "ctl" ? argv.slice(1) : argv, OPTIONS);
  const { flags } = words;
  if (flags.has("help") || flags.has("version")) return { request: null, help: helpOf(words.words[0]), flags };
  rejectStray(words);
  const [type] = words.words;
  if (type === "status" || type === "why") return { request: null, report: { type, words }, flags };
  const command = parseCommand(words);
  const places = { config: requiredPlace(words, "config"), messages: requiredPlace(words, "messages") };
  if (places.config.replace(/\/+$/, "") === places.messages.replace(/\/+$/, "")) {
    throw new UsageError("--config and --messages are the same directory");
  }
  return { request: { places, command, isForced: flags.has("force"), wait: parseWait(words) }, flags };
}

function parseWait(words: ParsedArgs): Wait | null {
  if (!words.flags.has("wait") && lastValue(words, "rolling") === undefined) {
    if (lastValue(words, "timeout") !== undefined) throw new UsageError("--timeout needs --wait");
    return null;
  }
  const timeoutMs = secondsValue(words, "timeout", DEFAULT_TIMEOUT) * 1000;
  return { status: requiredPlace(words, "status"), timeoutMs, rolling: countValue(words, "rolling") ?? Infinity };
}

/** Rejects options of another command. */
function rejectStray({ values, flags, words: [command = ""] }: ParsedArgs): void {
  const own = Object.hasOwn(COMMANDS, command) ? COMMANDS[command]!.options : [];
  const given = ({ name }: Option) => flags.has(name) || (values.get(name) ?? []).length > 0;
  for (const { name } of Object.values(COMMANDS).flatMap(({ options }) => options.filter(given))) {
    if (own.some((option) => option.name === name)) continue;
    const owners = Object.keys(COMMANDS).filter((other) => COMMANDS[other]!.options.some((it) => it.name === name));
    throw new UsageError(`--${name} can only be used with ${owners.join(", ")}`);
  }
}

function parseCommand(words: ParsedArgs): Command {
  const [type, ...rest] = words.words;
  switch (type) {
    case "add":
      return parseAdd(words, parseName(words, rest));
    case "remove":
    case "restart":
    case "start":
    case "stop":
      return { type, names: parseNames(words, rest) };
    case "patch": {
      const [name, change, ...more] = [...words.values.get("name") ?? [], ...rest];
      if (name === undefined || change === undefined) throw new UsageError("patch needs a NAME and a JSON object");
      expectNoMore(more);
      return { type, name, change };
    }
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
      throw new UsageError("command missing: see ncolony-ctl --help");
    default:
      throw new UsageError(
        `unknown command ${JSON.stringify(type)}: did you mean ${closestString(type, Object.keys(COMMANDS))}?`,
      );
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

function parseNames(words: ParsedArgs, rest: readonly string[]): string[] {
  const names = [...words.values.get("name") ?? [], ...rest];
  if (names.length === 0) throw new UsageError(`${words.words[0]} needs a NAME`);
  return [...new Set(names)];
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
