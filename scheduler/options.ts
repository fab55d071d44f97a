import {
  checkChoice,
  checkInteger,
  checkNumber,
  checkText,
  KILL_SCOPES,
  type KillScope,
  UsageError,
} from "@ncolony/core";
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

/** The options of a scheduler. All times are in seconds, as in Python NColony. */
export interface Options {
  /** The command and its arguments. */
  readonly args: readonly [string, ...string[]];
  /** How long a run may take before it gets SIGTERM. */
  readonly timeout: number;
  /** The time from SIGTERM to SIGKILL. */
  readonly grace: number;
  /** The time from the start of one run to the start of the next. Required unless `cron` or `once` is given. */
  readonly frequency?: number;
  /** The times of the runs, as a cron expression of five fields, or six with seconds. */
  readonly cron?: string;
  /** The time zone of `cron`. @default {the machine's} */
  readonly timezone?: string;
  /** Whether a time of `cron` that was missed, for example because the machine slept, runs late. @default {false} */
  readonly catchUp?: boolean;
  /** The file that stores up to when times of `cron` were handled, for the next start of this program. */
  readonly last?: string;
  /** The maximum random delay of each run. @default {0} */
  readonly splay?: number;
  /** Whether the command runs only once, immediately. @default {false} */
  readonly once?: boolean;
  /** After this many failures in a row the scheduler exits with 1. @default {Infinity} */
  readonly maxFailures?: number;
  /** Which processes get the signals. `cgroup` is only for the monitor. @default {"all"} */
  readonly killScope?: KillScope;
}

/** The parsed command line: options to run with, or to print times. */
export interface Invocation extends Options {
  /** Where the time zone was found. Absent if `--timezone` gave it, or none is needed. */
  readonly zoneSource?: string;
  /** How many times are printed instead of running the command. */
  readonly next?: number;
}

/** The values of `--kill-scope`. A monitor that runs this program may have cgroups, which hold its runs as well. */
const SCOPES = KILL_SCOPES.filter((scope) => scope !== "cgroup");

/** The minimum of the frequency and the timeout. */
const MIN_SECONDS = 0.001;

const OPTIONS: readonly Option[] = [
  { name: "arg", value: "WORD", help: "the command, then each argument; required" },
  { name: "timeout", value: "SECONDS", help: "longest time of a run, then SIGTERM; required" },
  { name: "grace", value: "SECONDS", help: "from SIGTERM to SIGKILL; required" },
  { name: "frequency", aliases: ["freq"], value: "SECONDS", help: "run at once, then this often" },
  { name: "cron", value: "EXPR", help: "run at these times; 5 fields, or 6 with seconds" },
  { name: "timezone", value: "ZONE", help: "of --cron, e.g. Europe/Berlin [the machine's]" },
  { name: "catch-up", help: "make up for missed times of --cron with one run" },
  { name: "last", value: "FILE", help: "remember the last time of --cron in FILE" },
  { name: "splay", value: "SECONDS", help: "delay each run by a random time up to this" },
  { name: "once", help: "run once, now; exit with its code" },
  { name: "max-failures", value: "N", help: "exit with 1 after N failures in a row" },
  { name: "kill-scope", value: "SCOPE", help: "process, group or session; all: widest [all]" },
  { name: "next", value: "N", help: "print the next N times and exit" },
  ...LOG_OPTIONS,
  RAW_OPTION,
  ...COMMON_OPTIONS,
];

/** The text of `--help`. */
export const HELP = `ncolony-scheduler: run a command periodically, never twice at once.

Usage: ncolony-scheduler (--frequency SECONDS | --cron EXPR) --timeout SECONDS
           --grace SECONDS --arg CMD [--arg ARG]... [options]

${optionsHelp(OPTIONS)}

A run that is due while the previous run has not ended is skipped and counted.
SIGTERM, SIGINT, SIGHUP and SIGQUIT end the current run, then the scheduler.
Exit codes: 0 stopped as asked, 1 an error, 2 a wrong command line; with --once
the command's own, 128 + n if signal n ended it, 127 if it cannot start.`;

/**
 * Parses a command line.
 *
 * @throws {UsageError} If it is invalid. The message names the option.
 */
export function parseOptions(argv: readonly string[], zoneOfMachine: () => Zone = readZone): Parsed<Invocation> {
  const words = parseWords(argv, OPTIONS);
  const { flags } = words;
  const output = outputOptions(words);
  if (flags.has("help") || flags.has("version")) return { options: null, output, flags };
  if (words.words.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(words.words[0])}`);
  return { options: invocation(words, zoneOfMachine), output, flags };
}

/** Returns the time zone of this machine. @throws {UsageError} If it is unknown. */
export function readZone(): Zone {
  return machineZone(findZoneFacts(), Temporal.Now.timeZoneId());
}

function findZoneFacts(): ZoneFacts | null {
  try {
    return zoneFacts();
  } catch {
    // There is no shell, or no permission to run it.
    return null;
  }
}

function invocation(words: ParsedArgs, zoneOfMachine: () => Zone): Invocation {
  const { flags } = words;
  const [command, ...args] = words.values.get("arg") ?? [];
  if (command === undefined || command === "") throw new UsageError("--arg is missing: it names the command");
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
    killScope: choiceValue(words, "kill-scope", SCOPES, "all"),
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

/** Checks a command and its times as on the command line. @throws {RangeError | TypeError} If one is invalid. */
export function checkRun(
  { args, timeout, grace, killScope }: Pick<Options, "args" | "timeout" | "grace" | "killScope">,
): void {
  if (!Array.isArray(args) || args.length === 0) {
    throw new TypeError('"args" must be an array with the command and its arguments');
  }
  checkText("args[0]", args[0]);
  if (args.some((arg) => typeof arg !== "string")) throw new TypeError('"args" must contain only strings');
  for (const [name, value, least] of [["timeout", timeout, MIN_SECONDS], ["grace", grace, 0]] as const) {
    if (value === undefined) throw new TypeError(`"${name}" is missing`);
    checkNumber(name, value, least);
  }
  checkChoice("killScope", killScope, SCOPES);
}

/** Checks all library options in the same way. @throws {RangeError | TypeError | UsageError} If one is invalid. */
export function checkOptions(options: Options): void {
  const { frequency, splay, maxFailures } = options;
  checkRun(options);
  checkNumber("frequency", frequency, MIN_SECONDS);
  checkNumber("splay", splay, 0);
  if (maxFailures !== Infinity) checkInteger("maxFailures", maxFailures, 1, 999_999_999);
  checkTogether(options, (name) => JSON.stringify(name), TypeError);
}

/** Checks that valid options can be combined. `named` formats the name of an option for the error. */
function checkTogether(
  { frequency, cron, splay, last, catchUp, once, timezone }: Options,
  named: (name: keyof Options) => string,
  OptionError: new (message: string) => Error,
): void {
  const fail = (message: string): never => {
    throw new OptionError(message);
  };
  if (frequency !== undefined && cron !== undefined) {
    fail(`${named("frequency")} and ${named("cron")} cannot be used together`);
  }
  if (frequency === undefined && cron === undefined && !once) {
    fail(`${named("frequency")} or ${named("cron")} is missing`);
  }
  if (cron === undefined && last !== undefined) fail(`${named("last")} needs ${named("cron")}`);
  if (cron === undefined && catchUp) fail(`${named("catchUp")} needs ${named("cron")}`);
  if (frequency !== undefined && splay !== undefined && splay >= frequency) {
    fail(`${named("splay")} must be less than ${named("frequency")}`);
  }
  // Whether an expression ever matches does not depend on the zone, and asking for the machine's zone starts a shell.
  if (cron !== undefined && parseCron(cron, timezone ?? "UTC").nextRun(new Date()) === null) {
    fail(`${named("cron")} ${JSON.stringify(cron)} matches no future time`);
  }
}
