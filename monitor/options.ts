import {
  checkChoice,
  checkInteger,
  checkNumber,
  checkText,
  DEFAULT_KILL_TIME_MS,
  type KillScope,
  MAX_LOG_BYTES,
  MAX_LOG_KEEP,
  MAX_NOFILE,
  MIN_LOG_BYTES,
  SCOPE_WIDTHS,
  UsageError,
} from "@ncolony/core";
import {
  bytesValue,
  choiceValue,
  COLONY_OPTION,
  colonyValue,
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
  requiredPlace,
  secondsValue,
} from "@ncolony/host";

/** The options of a monitor. All times are in seconds, as in Python NColony. */
export interface Options {
  /** The config directory. */
  readonly config: string;
  /** The messages directory. */
  readonly messages: string;
  /** Whether to create the config and messages directories if they are missing. @default {false} */
  readonly create?: boolean;
  /** The directory of pid files. Without it, none are written. */
  readonly pid?: string;
  /**
   * The widest kill scope, which is what `all`, the default of configs, means. A config that asks for a wider one is
   * invalid.
   *
   * @default {"cgroup"} in the program `ncolony-monitor`, `"session"` in a library
   */
  readonly killScope?: Exclude<KillScope, "all">;
  /** The directory in which the monitor reports the state of its processes. Without it, nothing is written. */
  readonly status?: string;
  /** The directory of log files, one per process. Without it, output goes to that of the monitor. */
  readonly logs?: string;
  /** The size at which a log file is rotated, in bytes. @default {10485760} */
  readonly logSize?: number;
  /** How many old log files of each process are kept. @default {10} */
  readonly logKeep?: number;
  /** Whether each line of a log begins with its time, and starts and ends are marked. @default {false} */
  readonly logTime?: boolean;
  /** The soft limit of open files of processes whose config has none. @default {the hard limit, which Deno sets} */
  readonly nofile?: number;
  /** Whether other users may write configs, logs and pid files, and change the path of a directory. @default {false} */
  readonly allowInsecure?: boolean;
  /** Whether other users may write the source of configs that are on a read-only mount. @default {false} */
  readonly trustReadOnlyMount?: boolean;
  /** The interval between full scans. @default {10} */
  readonly frequency: number;
  /** A process that exits sooner than this after its start has crashed. @default {1} */
  readonly threshold: number;
  /** The kill time of configs without one: the time from the stop signal to SIGKILL. @default {5} */
  readonly killtime: number;
  /**
   * The maximum time from the first request to stop until everything has ended. @default {the kill time of this monitor
   * if another monitor runs it, otherwise unlimited}
   */
  readonly stopWithin?: number;
  /** The restart delay after the first crash. @default {1} */
  readonly minrestartdelay: number;
  /** The longest restart delay. Each crash in a row doubles the delay up to this. @default {3600} */
  readonly maxrestartdelay: number;
}

/** The defaults of the times in {@linkcode Options}. */
export const DEFAULTS = {
  frequency: 10,
  threshold: 1,
  killtime: DEFAULT_KILL_TIME_MS / 1000,
  minrestartdelay: 1,
  maxrestartdelay: 3600,
} as const;

/** The minimum of each time, in seconds. */
const LEAST = {
  frequency: 0.01,
  threshold: 0,
  killtime: 0,
  stopWithin: 0.1,
  minrestartdelay: 0,
  maxrestartdelay: 0,
} as const;

/** The defaults for log files in {@linkcode Options}. */
export const LOG_DEFAULTS = { logSize: 10 * 1024 * 1024, logKeep: 10, logTime: false } as const;

const OPTIONS: readonly Option[] = [
  COLONY_OPTION,
  { name: "config", value: "DIR", help: "one JSON file per process; required without --colony" },
  { name: "messages", value: "DIR", help: "one JSON file per request; required without --colony" },
  { name: "frequency", aliases: ["freq"], value: "SECONDS", help: "scan both directories this often [10]" },
  { name: "pid", value: "DIR", help: "write a pid file per running process to DIR" },
  { name: "status", value: "DIR", help: "write the status of each process to DIR" },
  { name: "threshold", short: "t", value: "SECONDS", help: "delay the restart if it ran less than this [1]" },
  { name: "killtime", short: "k", value: "SECONDS", help: "from the stop signal to SIGKILL [5]" },
  { name: "stop-within", value: "SECONDS", help: "stop all processes and exit within this time" },
  {
    name: "minrestartdelay",
    short: "m",
    value: "SECONDS",
    help: "first restart delay, doubled each time [1]",
  },
  { name: "maxrestartdelay", short: "M", value: "SECONDS", help: "longest restart delay [3600]" },
  { name: "kill-scope", value: "SCOPE", help: "process, group, session; cgroup: widest [cgroup]" },
  { name: "logs", value: "DIR", help: "one log file per process, DIR/NAME.log" },
  { name: "no-logs", help: "no log files, even with --colony" },
  { name: "log-size", value: "BYTES", help: "rotate a log at this size, such as 500K [10M]" },
  { name: "log-keep", value: "N", help: "keep so many old logs, DIR/NAME.log.1 … [10]" },
  { name: "log-time", help: "begin each line of a log with its time, and mark each start" },
  { name: "nofile", value: "N", help: "soft limit of open files of each process" },
  { name: "allow-insecure", help: "also use directories that others can write to" },
  { name: "trust-read-only-mount", help: "trust configs on a read-only mount" },
  ...LOG_OPTIONS,
  RAW_OPTION,
  ...COMMON_OPTIONS,
];

/** The text of `--help`. */
export const HELP = `ncolony-monitor: run the processes of a config directory, restart them on exit.

Usage: ncolony-monitor --colony DIR [options]
       ncolony-monitor --config DIR --messages DIR [options]

${optionsHelp(OPTIONS)}

A file CONFIG/NAME such as {"args": ["httpd", "-f"]} starts a process. Changing
it restarts the process, removing it stops it. A file in MESSAGES such as
{"type": "RESTART", "name": "NAME"} restarts it. ncolony-ctl writes both.
SIGTERM, SIGINT and SIGHUP stop all processes; again, after 1 s, kill them.
Exit codes: 0 stopped as asked, 1 an error, 2 a wrong command line.`;

/**
 * Parses a command line.
 *
 * @throws {UsageError} If it is invalid. The message names the option.
 */
export function parseOptions(argv: readonly string[]): Parsed<Options> {
  return parseDaemon(argv, OPTIONS, optionsIn);
}

function optionsIn(words: ParsedArgs): Options {
  const { flags } = words;
  const pid = placeValue(words, "pid");
  const status = placeValue(words, "status");
  const logs = flags.has("no-logs") ? undefined : placeValue(words, "logs");
  const logSize = bytesValue(words, "log-size", MIN_LOG_BYTES, MAX_LOG_BYTES);
  const logKeep = countValue(words, "log-keep", 0, MAX_LOG_KEEP);
  const nofile = countValue(words, "nofile", 1, MAX_NOFILE);
  const forLogs = ["log-size", "log-keep", "log-time"].find((name) =>
    flags.has(name) || lastValue(words, name) !== undefined
  );
  if (logs === undefined && forLogs !== undefined) throw new UsageError(`--${forLogs} needs --logs`);
  return {
    config: requiredPlace(words, "config"),
    messages: requiredPlace(words, "messages"),
    ...(colonyValue(words) === undefined ? {} : { create: true }),
    ...(pid === undefined ? {} : { pid }),
    ...(status === undefined ? {} : { status }),
    ...(lastValue(words, "kill-scope") === undefined
      ? {}
      : { killScope: choiceValue(words, "kill-scope", SCOPE_WIDTHS, "cgroup") }),
    ...(logs === undefined ? {} : { logs }),
    ...(logSize === undefined ? {} : { logSize }),
    ...(logKeep === undefined ? {} : { logKeep }),
    ...(flags.has("log-time") ? { logTime: true } : {}),
    ...(nofile === undefined ? {} : { nofile }),
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
}

/** Checks library options as on the command line. @throws {RangeError | TypeError} If one is invalid. */
export function checkOptions(options: Options): void {
  for (const name of ["config", "messages"] as const) checkText(name, options[name]);
  for (const name of ["pid", "status", "logs"] as const) {
    if (options[name] !== undefined) checkText(name, options[name]);
  }
  for (const [name, least] of Object.entries(LEAST)) checkNumber(name, options[name as keyof typeof LEAST], least);
  checkChoice("killScope", options.killScope, SCOPE_WIDTHS);
  checkInteger("logSize", options.logSize, MIN_LOG_BYTES, MAX_LOG_BYTES);
  checkInteger("logKeep", options.logKeep, 0, MAX_LOG_KEEP);
  checkInteger("nofile", options.nofile, 1, MAX_NOFILE);
}
