import {
  checkNumber,
  checkText,
  fileNameFault,
  NOTICE_KINDS,
  type NoticeKind,
  quotedName,
  UsageError,
} from "@ncolony/core";
import {
  COLONY_OPTION,
  colonyValue,
  COMMON_OPTIONS,
  LOG_OPTIONS,
  nearest,
  type Option,
  optionsHelp,
  ownName,
  type Parsed,
  parseDaemon,
  type ParsedArgs,
  RAW_OPTION,
  requiredPlace,
  secondsValue,
  textValue,
} from "@ncolony/host";
import { join } from "@std/path/posix/join";

/** The options of a notifier. All times are in seconds. */
export interface Options {
  /** The monitor's status directory. */
  readonly status: string;
  /** What to report. */
  readonly on: readonly NoticeKind[];
  /** The command and its arguments. */
  readonly args: readonly [string, ...string[]];
  /** The file that remembers what was reported. Its directory is created if it is missing. */
  readonly state: string;
  /** The directory of the colony, as the command gets it. @default {the status directory} */
  readonly colony?: string;
  /** The processes to report. The monitor itself is always included. @default {all} */
  readonly names?: readonly string[];
  /** The least time from one run of the command to the next. @default {0} */
  readonly notMoreOften?: number;
  /** How long a run may take before it gets SIGTERM. @default {60} */
  readonly timeout?: number;
  /** The time from SIGTERM to SIGKILL. @default {5} */
  readonly grace?: number;
}

/** The defaults of {@linkcode Options}, in seconds. */
export const DEFAULTS = { notMoreOften: 0, timeout: 60, grace: 5 } as const;

/** The minimum of the timeout. */
const MIN_SECONDS = 0.001;

const OPTIONS: readonly Option[] = [
  COLONY_OPTION,
  { name: "status", value: "DIR", help: "the status directory; required without --colony" },
  { name: "on", value: "KIND,…", help: "what to report, see below; required" },
  { name: "arg", value: "WORD", help: "the command, then each argument; required" },
  { name: "name", value: "NAME", help: "report only this process; repeatable" },
  {
    name: "not-more-often",
    value: "SECONDS",
    help: `least time from one run to the next [${DEFAULTS.notMoreOften}]`,
  },
  { name: "timeout", value: "SECONDS", help: `longest time of a run, then SIGTERM [${DEFAULTS.timeout}]` },
  { name: "grace", value: "SECONDS", help: `from SIGTERM to SIGKILL [${DEFAULTS.grace}]` },
  { name: "state", value: "FILE", help: "remembers what was reported [COLONY/notify/NAME]" },
  ...LOG_OPTIONS,
  RAW_OPTION,
  ...COMMON_OPTIONS,
];

/** The text of `--help`. */
export const HELP = `ncolony-notify: run a command when something happens in a colony.

Usage: ncolony-notify --colony DIR --on KIND,… --arg CMD [--arg ARG]... [options]

${optionsHelp(OPTIONS)}

Kinds: started, exited (unasked), waiting, stop-requested, killed, crash-loop,
crash-loop-over, problem, problem-gone, disabled, removed, unhealthy, healthy,
monitor-started, monitor-stopped, monitor-gone.

The command gets NCOLONY_EVENT, NCOLONY_NAME, NCOLONY_COUNT, NCOLONY_SUMMARY and
NCOLONY_TEXT, and all of it as JSON on stdin. Whatever happens while it runs
goes to its next run. If it fails, it is run again.
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
  const [command, ...args] = words.values.get("arg") ?? [];
  const status = requiredPlace(words, "status");
  const on = (words.values.get("on") ?? []).flatMap((value) => value.split(",")).map(kindOf);
  if (on.length === 0) throw new UsageError("--on is missing: it names what to report");
  if (command === undefined || command === "") throw new UsageError("--arg is missing: it names the command");
  const names = words.values.get("name") ?? [];
  for (const name of names) checkName(name, "--name", UsageError);
  const colony = colonyValue(words);
  return {
    status,
    on,
    args: [command, ...args],
    state: textValue(words, "state", "FILE") ?? stateIn(colony),
    ...(colony === undefined ? {} : { colony }),
    ...(names.length === 0 ? {} : { names }),
    notMoreOften: secondsValue(words, "not-more-often", DEFAULTS.notMoreOften),
    timeout: secondsValue(words, "timeout", DEFAULTS.timeout, MIN_SECONDS),
    grace: secondsValue(words, "grace", DEFAULTS.grace),
  };
}

function kindOf(word: string): NoticeKind {
  const found = NOTICE_KINDS.find((kind) => kind === word);
  if (found !== undefined) return found;
  const meant = nearest(word, NOTICE_KINDS);
  throw new UsageError(`--on ${quotedName(word)} is unknown${meant === null ? "" : `: did you mean "${meant}"?`}`);
}

/** Returns the file of this notifier in a colony. Two that the monitor runs have different names. */
function stateIn(colony: string | undefined): string {
  if (colony === undefined) throw new UsageError("--state is missing, or --colony");
  return join(colony, "notify", ownName() ?? "notify");
}

function checkName(name: string, option: string, OptionError: new (message: string) => Error): void {
  const fault = fileNameFault(name);
  if (fault !== null) throw new OptionError(`${option} ${quotedName(name)} is invalid: ${fault}`);
}

/** Checks library options as the command line is checked. @throws {RangeError | TypeError} If one is invalid. */
export function checkOptions(options: Options): void {
  const { on, args, names = [] } = options;
  for (const name of ["status", "state", "colony"] as const) {
    if (name !== "colony" || options.colony !== undefined) checkText(name, options[name]!);
  }
  for (const [name, list] of Object.entries({ on, args, names })) {
    if (!Array.isArray(list) || list.some((word) => typeof word !== "string")) {
      throw new TypeError(`"${name}" must be an array of strings`);
    }
  }
  if (on.length === 0) throw new TypeError('"on" must name what to report');
  const unknown = on.find((kind) => !NOTICE_KINDS.includes(kind));
  if (unknown !== undefined) throw new TypeError(`"on" must be of ${NOTICE_KINDS.join(", ")}: got "${unknown}"`);
  checkText("args[0]", args[0]);
  for (const name of names) checkName(name, '"names":', TypeError);
  checkNumber("notMoreOften", options.notMoreOften, 0);
  checkNumber("timeout", options.timeout, MIN_SECONDS);
  checkNumber("grace", options.grace, 0);
}
