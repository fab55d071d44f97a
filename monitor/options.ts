import {
  checkInteger,
  checkNumber,
  checkText,
  DEFAULT_KILL_TIME_MS,
  MAX_LOG_BYTES,
  MAX_LOG_KEEP,
  MIN_LOG_BYTES,
  UsageError,
} from "@ncolony/core";
import {
  bytesValue,
  COMMON_OPTIONS,
  countValue,
  lastValue,
  LOG_OPTIONS,
  type Option,
  optionsHelp,
  outputOptions,
  type Parsed,
  parseWords,
  RAW_OPTION,
  requiredValue,
  secondsValue,
  textValue,
} from "@ncolony/host";

/** What a monitor is told; all times are in seconds, as in Python NColony. */
export interface Options {
  /** The config directory. */
  readonly config: string;
  /** The messages directory. */
  readonly messages: string;
  /** The directory of pid files; absent: none are written. */
  readonly pid?: string;
  /** The directory of log files, one per process; absent: the processes' output goes where the monitor's log goes. */
  readonly logs?: string;
  /** The size at which a log file becomes an old one, in bytes. @default {10485760} */
  readonly logSize?: number;
  /** How many old log files stay, of each process. @default {10} */
  readonly logKeep?: number;
  /** Whether others may write the configs, the logs and the pid files, and the way to all directories. @default {false} */
  readonly allowInsecure?: boolean;
  /** Whether others may write the source of configs that lie on a read-only mount. @default {false} */
  readonly trustReadOnlyMount?: boolean;
  /** How often everything is looked at. @default {10} */
  readonly frequency: number;
  /** A process that lived shorter died an instant death. @default {1} */
  readonly threshold: number;
  /** How long a process has to end, until it is killed. @default {5} */
  readonly killtime: number;
  /**
   * How long everything takes at the most from the first request to stop. @default {the kill time that the monitor gives which
   * runs this one; where there is none, as long as it takes}
   */
  readonly stopWithin?: number;
  /** The delay after the first instant death. @default {1} */
  readonly minrestartdelay: number;
  /** The longest delay, to which it doubles. @default {3600} */
  readonly maxrestartdelay: number;
}

/** The values of {@linkcode Options} that are not given. */
export const DEFAULTS = {
  frequency: 10,
  threshold: 1,
  killtime: DEFAULT_KILL_TIME_MS / 1000,
  minrestartdelay: 1,
  maxrestartdelay: 3600,
} as const;

/** The least of each time. */
const LEAST = {
  frequency: 0.01,
  threshold: 0,
  killtime: 0,
  stopWithin: 0.1,
  minrestartdelay: 0,
  maxrestartdelay: 0,
} as const;

/** How log files are, where {@linkcode Options} say nothing. */
export const LOG_DEFAULTS = { logSize: 10 * 1024 * 1024, logKeep: 10 } as const;

const OPTIONS: readonly Option[] = [
  { name: "config", value: "DIR", help: "one JSON file per process; required" },
  { name: "messages", value: "DIR", help: "one JSON file per request; required" },
  { name: "frequency", aliases: ["freq"], value: "SECONDS", help: "look at everything this often [10]" },
  { name: "pid", value: "DIR", help: "one file per running process, its pid in it" },
  { name: "threshold", short: "t", value: "SECONDS", help: "a death before this age is an instant one [1]" },
  { name: "killtime", short: "k", value: "SECONDS", help: "from the stop signal to SIGKILL [5]" },
  { name: "stop-within", value: "SECONDS", help: "from a stop to the end of everything" },
  {
    name: "minrestartdelay",
    short: "m",
    value: "SECONDS",
    help: "delay after an instant death, doubled [1]",
  },
  { name: "maxrestartdelay", short: "M", value: "SECONDS", help: "up to this delay [3600]" },
  { name: "logs", value: "DIR", help: "one log file per process, DIR/NAME.log" },
  { name: "log-size", value: "BYTES", help: "each up to this size, as 500K or 10M [10M]" },
  { name: "log-keep", value: "N", help: "and so many old ones, DIR/NAME.log.1 … [10]" },
  { name: "allow-insecure", help: "also use directories that others may change" },
  { name: "trust-read-only-mount", help: "also run configs on a read-only mount" },
  ...LOG_OPTIONS,
  RAW_OPTION,
  ...COMMON_OPTIONS,
];

/** The text of `--help`. */
export const HELP = `ncolony-monitor: run what a directory says, and restart what dies.

Usage: ncolony-monitor --config DIR --messages DIR [options]

${optionsHelp(OPTIONS)}

A file CONFIG/NAME such as {"args": ["httpd", "-f"]} starts a process. Changing
it restarts the process, removing it stops it. A file in MESSAGES such as
{"type": "RESTART", "name": "NAME"} restarts it. ncolony-ctl writes both.
SIGTERM, SIGINT and SIGHUP stop everything; again, 1 s later or more, kill it.
Exit codes: 0 stopped as asked, 1 an error, 2 a wrong command line.`;

/**
 * Parses a command line.
 *
 * @throws {UsageError} Where it is wrong; the message names the option.
 */
export function parseOptions(argv: readonly string[]): Parsed<Options> {
  const words = parseWords(argv, OPTIONS);
  const { flags } = words;
  const output = outputOptions(words);
  if (flags.has("help") || flags.has("version")) return { options: null, output, flags };
  if (words.words.length > 0) throw new UsageError(`${JSON.stringify(words.words[0])} is no option`);
  const pid = textValue(words, "pid", "DIR");
  const logs = textValue(words, "logs", "DIR");
  const logSize = bytesValue(words, "log-size", MIN_LOG_BYTES, MAX_LOG_BYTES);
  const logKeep = countValue(words, "log-keep", 0, MAX_LOG_KEEP);
  if (logs === undefined && (logSize ?? logKeep) !== undefined) {
    throw new UsageError(`--${logSize === undefined ? "log-keep" : "log-size"} needs --logs`);
  }
  const options = {
    config: requiredValue(words, "config"),
    messages: requiredValue(words, "messages"),
    ...(pid === undefined ? {} : { pid }),
    ...(logs === undefined ? {} : { logs }),
    ...(logSize === undefined ? {} : { logSize }),
    ...(logKeep === undefined ? {} : { logKeep }),
    ...(flags.has("allow-insecure") ? { allowInsecure: true } : {}),
    ...(flags.has("trust-read-only-mount") ? { trustReadOnlyMount: true } : {}),
    ...(lastValue(words, "stop-within") === undefined
      ? {}
      : { stopWithin: secondsValue(words, "stop-within", 0, LEAST.stopWithin) }),
    frequency: secondsValue(words, "frequency", DEFAULTS.frequency, LEAST.frequency),
    threshold: secondsValue(words, "threshold", DEFAULTS.threshold),
    killtime: secondsValue(words, "killtime", DEFAULTS.killtime),
    minrestartdelay: secondsValue(words, "minrestartdelay", DEFAULTS.minrestartdelay),
    maxrestartdelay: secondsValue(words, "maxrestartdelay", DEFAULTS.maxrestartdelay),
  };
  return { options, output, flags };
}

/** Sees that options of the library are what the command line would take. @throws {RangeError | TypeError} Where not. */
export function checkOptions(options: Options): void {
  for (const name of ["config", "messages"] as const) checkText(name, options[name]);
  for (const name of ["pid", "logs"] as const) if (options[name] !== undefined) checkText(name, options[name]);
  for (const [name, least] of Object.entries(LEAST)) checkNumber(name, options[name as keyof typeof LEAST], least);
  checkInteger("logSize", options.logSize, MIN_LOG_BYTES, MAX_LOG_BYTES);
  checkInteger("logKeep", options.logKeep, 0, MAX_LOG_KEEP);
}
