import { checkInteger, checkNumber, checkText, type KillScope, UsageError } from "@ncolony/core";
import {
  choiceValue,
  COMMON_OPTIONS,
  countValue,
  lastValue,
  LOG_OPTIONS,
  type Option,
  optionsHelp,
  outputOptions,
  type Parsed,
  type ParsedArgs,
  parseWords,
  RAW_OPTION,
  secondsValue,
  textValue,
  type ZoneFacts,
  zoneFacts,
} from "@ncolony/host";
import { parseCron } from "./cron.ts";
import { machineZone, type Zone } from "./zone.ts";

/** What a scheduler is told; all times are in seconds, as in Python NColony. */
export interface Options {
  /** The command and its arguments. */
  readonly args: readonly [string, ...string[]];
  /** How long a run may take, until SIGTERM. */
  readonly timeout: number;
  /** How long it has to end then, until SIGKILL. */
  readonly grace: number;
  /** How often it is run; absent: `cron` says when. */
  readonly frequency?: number;
  /** When it is run, as a cron expression of five fields, or six with seconds. */
  readonly cron?: string;
  /** The time zone of `cron`. @default {the machine's} */
  readonly timezone?: string;
  /** Whether a time of `cron` that was slept through runs on waking. @default {false} */
  readonly catchUp?: boolean;
  /** The file that remembers up to when times of `cron` were dealt with, while this program does not run. */
  readonly last?: string;
  /** Each run is late by a random time up to this. @default {0} */
  readonly splay?: number;
  /** Whether it is run once, and at once. @default {false} */
  readonly once?: boolean;
  /** After so many failures in a row it ends with 1; absent: it goes on. */
  readonly maxFailures?: number;
  /** Whom the signals reach. @default {"group"} */
  readonly killScope?: KillScope;
}

/** What a command line asks for: to run, or to print times. */
export interface Invocation extends Options {
  /** Where the time zone is from; absent: from `--timezone`, or none is needed. */
  readonly zoneSource?: string;
  /** How many times are printed in place of running. */
  readonly next?: number;
}

/** The least of a frequency, and of a timeout. */
const MIN_SECONDS = 0.001;

const OPTIONS: readonly Option[] = [
  { name: "arg", value: "WORD", help: "the command, then each argument; required" },
  { name: "timeout", value: "SECONDS", help: "SIGTERM to a run that takes longer; required" },
  { name: "grace", value: "SECONDS", help: "from SIGTERM to SIGKILL; required" },
  { name: "frequency", aliases: ["freq"], value: "SECONDS", help: "run at once, then this often" },
  { name: "cron", value: "EXPR", help: "run at these times: five fields, or six with seconds" },
  { name: "timezone", value: "ZONE", help: "of --cron, as Europe/Berlin [the machine's]" },
  { name: "catch-up", help: "run once, late, what --cron named while it could not" },
  { name: "last", value: "FILE", help: "remember in FILE up to when --cron was dealt with" },
  { name: "splay", value: "SECONDS", help: "delay each run by a random time up to this" },
  { name: "once", help: "run once, now; exit with its code" },
  { name: "max-failures", value: "N", help: "exit with 1 after N failures in a row" },
  { name: "kill-scope", value: "SCOPE", help: "signals reach the group, or the process [group]" },
  { name: "next", value: "N", help: "print the next N times and exit" },
  ...LOG_OPTIONS,
  RAW_OPTION,
  ...COMMON_OPTIONS,
];

/** The text of `--help`. */
export const HELP = `ncolony-scheduler: run a command now and then, never twice at once.

Usage: ncolony-scheduler (--frequency SECONDS | --cron EXPR) --timeout SECONDS
           --grace SECONDS --arg CMD [--arg ARG]... [options]

${optionsHelp(OPTIONS)}

A run that is due while the one before goes on is skipped, and counted.
SIGTERM, SIGINT, SIGHUP and SIGQUIT end the run that goes on, then the scheduler.
Exit codes: 0 stopped as asked, 1 an error, 2 a wrong command line; with --once
the command's own, 128 + n where signal n ended it, 127 where it cannot start.`;

/**
 * Parses a command line.
 *
 * @throws {UsageError} Where it is wrong; the message names the option.
 */
export function parseOptions(argv: readonly string[], zoneOfMachine: () => Zone = readZone): Parsed<Invocation> {
  const words = parseWords(argv, OPTIONS);
  const { flags } = words;
  const output = outputOptions(words);
  if (flags.has("help") || flags.has("version")) return { options: null, output, flags };
  if (words.words.length > 0) throw new UsageError(`${JSON.stringify(words.words[0])} is no option`);
  return { options: invocation(words, zoneOfMachine), output, flags };
}

/** The time zone of this machine. @throws {UsageError} Where it is not known. */
export function readZone(): Zone {
  return machineZone(findZoneFacts(), Temporal.Now.timeZoneId());
}

function findZoneFacts(): ZoneFacts | null {
  try {
    return zoneFacts();
  } catch {
    // There is no shell, or it may not be run.
    return null;
  }
}

function invocation(words: ParsedArgs, zoneOfMachine: () => Zone): Invocation {
  const { flags } = words;
  const [command, ...args] = words.values.get("arg") ?? [];
  if (command === undefined || command === "") throw new UsageError("--arg is missing: the command");
  const frequency = optionalSeconds(words, "frequency", MIN_SECONDS);
  const splay = optionalSeconds(words, "splay");
  const maxFailures = countValue(words, "max-failures");
  const next = countValue(words, "next");
  const given = lastValue(words, "timezone");
  const cron = lastValue(words, "cron");
  const last = textValue(words, "last", "FILE");
  const zone = cron === undefined ? null : given === undefined ? zoneOfMachine() : { name: given, source: null };
  const options: Invocation = {
    args: [command, ...args],
    timeout: requiredSeconds(words, "timeout", MIN_SECONDS),
    grace: requiredSeconds(words, "grace"),
    killScope: choiceValue(words, "kill-scope", ["group", "process"], "group"),
    catchUp: flags.has("catch-up"),
    once: flags.has("once"),
    ...(frequency === undefined ? {} : { frequency }),
    ...(cron === undefined ? {} : { cron }),
    ...(zone === null ? {} : { timezone: zone.name }),
    ...(zone === null || zone.source === null ? {} : { zoneSource: zone.source }),
    ...(last === undefined ? {} : { last }),
    ...(splay === undefined ? {} : { splay }),
    ...(maxFailures === undefined ? {} : { maxFailures }),
    ...(next === undefined ? {} : { next }),
  };
  if (cron === undefined && given !== undefined) throw new UsageError("--timezone needs --cron");
  const named = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  checkTogether({ ...options, once: flags.has("once") && next === undefined }, named, UsageError);
  return options;
}

function optionalSeconds(words: ParsedArgs, name: string, min = 0): number | undefined {
  return lastValue(words, name) === undefined ? undefined : secondsValue(words, name, 0, min);
}

function requiredSeconds(words: ParsedArgs, name: string, min = 0): number {
  const seconds = optionalSeconds(words, name, min);
  if (seconds === undefined) throw new UsageError(`--${name} is missing`);
  return seconds;
}

/** Sees that a command and its times are what the command line would take. @throws {RangeError | TypeError} Where not. */
export function checkRun({ args, timeout, grace }: Pick<Options, "args" | "timeout" | "grace">): void {
  if (!Array.isArray(args) || args.length === 0) {
    throw new TypeError('"args" must be an array: the command, its arguments');
  }
  checkText("args[0]", args[0]);
  if (args.some((arg) => typeof arg !== "string")) throw new TypeError('"args" must hold strings');
  for (const [name, value, least] of [["timeout", timeout, MIN_SECONDS], ["grace", grace, 0]] as const) {
    if (value === undefined) throw new TypeError(`"${name}" is missing`);
    checkNumber(name, value, least);
  }
}

/** Sees the same of all options of the library. @throws {RangeError | TypeError} Where one is wrong. */
export function checkOptions(options: Options): void {
  const { frequency, splay, maxFailures } = options;
  checkRun(options);
  checkNumber("frequency", frequency, MIN_SECONDS);
  checkNumber("splay", splay, 0);
  if (maxFailures !== Infinity) checkInteger("maxFailures", maxFailures, 1, 999_999_999);
  checkTogether(options, (name) => JSON.stringify(name), TypeError);
}

/** Sees that options, each of which is right, fit together. `named` writes the name of one for the error. */
function checkTogether(
  { frequency, cron, splay, last, catchUp, once, timezone }: Options,
  named: (name: keyof Options) => string,
  OptionError: new (message: string) => Error,
): void {
  const fail = (message: string): never => {
    throw new OptionError(message);
  };
  if (frequency !== undefined && cron !== undefined) {
    fail(`${named("frequency")} and ${named("cron")} exclude each other`);
  }
  if (frequency === undefined && cron === undefined && !once) {
    fail(`${named("frequency")} or ${named("cron")} is missing`);
  }
  if (cron === undefined && last !== undefined) fail(`${named("last")} needs ${named("cron")}`);
  if (cron === undefined && catchUp) fail(`${named("catchUp")} needs ${named("cron")}`);
  if (frequency !== undefined && splay !== undefined && splay >= frequency) {
    fail(`${named("splay")} must be less than ${named("frequency")}`);
  }
  if (cron !== undefined && parseCron(cron, timezone ?? readZone().name).nextRun(new Date()) === null) {
    fail(`${named("cron")} ${JSON.stringify(cron)} names no time`);
  }
}
