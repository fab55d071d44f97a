import { type KillScope, UsageError } from "@ncolony/core";
import {
  choiceValue,
  COLONY_OPTION,
  COMMON_OPTIONS,
  countValue,
  lastValue,
  LOG_OPTIONS,
  type Option,
  optionsHelp,
  type Parsed,
  parseDaemon,
  type ParsedArgs,
  placeValue,
  RAW_OPTION,
  secondsValue,
  textValue,
  type ZoneFacts,
  zoneFacts,
} from "@ncolony/host";
import { checkTogether, MIN_SECONDS, nameOfJob, SCOPES } from "./check_options.ts";
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
  /** The monitor's status directory, in which the job is reported. @default {undefined} */
  readonly status?: string;
  /** The name under which it is reported there. @default {the name by which the monitor runs this program} */
  readonly job?: string;
}

/** The parsed command line: options to run with, or to print times. */
export interface Invocation extends Options {
  /** Where the time zone was found. Absent if `--timezone` gave it, or none is needed. */
  readonly zoneSource?: string;
  /** How many times are printed instead of running the command. */
  readonly next?: number;
}

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
  { name: "status", value: "DIR", help: "the monitor's status directory: report the job" },
  { name: "job", value: "NAME", help: "the name of the job there [NCOLONY_NAME]" },
  { ...COLONY_OPTION, help: "stands for --status DIR/status" },
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
  return parseDaemon(argv, OPTIONS, (words) => invocation(words, zoneOfMachine));
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
  const job = textValue(words, "job", "NAME");
  const status = statusOf(words, job);
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
    ...(status === undefined ? {} : { status }),
    ...(job === undefined ? {} : { job }),
    ...(next === undefined ? {} : { next }),
  };
  if (cron === undefined && given !== undefined) throw new UsageError("--timezone needs --cron");
  const named = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  checkTogether({ ...options, once: flags.has("once") && next === undefined }, named, UsageError);
  return options;
}

/** Returns where the job is reported. The colony that a variable names is only for a job that has a name. */
function statusOf(words: ParsedArgs, job: string | undefined): string | undefined {
  const isAsked = ["status", "colony"].some((name) => lastValue(words, name) !== undefined);
  return isAsked || nameOfJob({ job }) !== null ? placeValue(words, "status") : undefined;
}

function optionalSeconds(words: ParsedArgs, name: string, min = 0): number | undefined {
  return lastValue(words, name) === undefined ? undefined : secondsValue(words, name, 0, min);
}

function requiredSeconds(words: ParsedArgs, name: string, min = 0): number {
  const seconds = optionalSeconds(words, name, min);
  if (seconds === undefined) throw new UsageError(`--${name} is missing`);
  return seconds;
}
