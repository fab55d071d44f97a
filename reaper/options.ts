import { UsageError } from "@ncolony/core";
import { COMMON_OPTIONS, type Option, optionsHelp, parseWords, secondsValue } from "@ncolony/host";

/** The options of the reaper. Times are in seconds. */
export interface Options {
  /** The command and its arguments. */
  readonly args: readonly [string, ...string[]];
  /** The time from SIGTERM to SIGKILL for processes that the command leaves behind. @default {5} */
  readonly grace: number;
  /** The time from SIGTERM to SIGKILL for the command. @default {30} */
  readonly killAfter: number;
  /** Whether the command gets its own session, and signals go to its whole process group. @default {false} */
  readonly group: boolean;
  /** The exit codes that the reaper replaces: the command's code, and the reaper's code. */
  readonly exitCodes: ReadonlyMap<number, number>;
}

/** A parsed command line. */
export interface Parsed {
  /** The options. Null if `--help` or `--version` was given. */
  readonly options: Options | null;
  /** The flags that were given, such as `help` or `version`. */
  readonly flags: ReadonlySet<string>;
}

const OPTIONS: readonly Option[] = [
  {
    name: "grace",
    value: "SECONDS",
    help: "SIGTERM to SIGKILL, for leftover processes [5]",
  },
  {
    name: "kill-after",
    value: "SECONDS",
    help: "SIGTERM to SIGKILL, for CMD itself [30]",
  },
  {
    name: "group",
    help: "run CMD in its own session and signal all of it",
  },
  {
    name: "exit-code",
    value: "N=M",
    help: "exit with M if CMD exits with N; repeatable",
  },
  ...COMMON_OPTIONS,
];

/** The text of `--help`. */
export const HELP = `ncolony-reaper: be PID 1 for one command.

Usage: ncolony-reaper [options] [--] CMD [ARG]...

${optionsHelp(OPTIONS)}

It passes every signal to CMD except KILL, STOP, CHLD and fault signals, and
waits for every orphan. When CMD has exited, it stops the processes that CMD
left behind. CMD starts with the soft limit of open files (ulimit -n) raised to
the hard limit.
Exit codes: that of CMD; 128 + n if signal n ended it; 126 if it cannot be run,
127 if it does not exist; 1 an error, 2 a wrong command line.`;

/**
 * Parses a command line. Options end at the first other word, which is the command.
 *
 * @throws {UsageError} If the command line is invalid. The message names the option.
 */
export function parseOptions(argv: readonly string[]): Parsed {
  const at = commandAt(argv);
  const words = parseWords(argv.slice(0, at), OPTIONS);
  const { flags } = words;
  if (flags.has("help") || flags.has("version")) {
    return { options: null, flags };
  }
  const [command, ...args] = argv[at] === "--" ? argv.slice(at + 1) : argv.slice(at);
  if (command === undefined || command === "") {
    throw new UsageError("CMD is missing");
  }
  const options: Options = {
    args: [command, ...args],
    grace: secondsValue(words, "grace", 5),
    killAfter: secondsValue(words, "kill-after", 30),
    group: flags.has("group"),
    exitCodes: new Map((words.values.get("exit-code") ?? []).map(parseExitCode)),
  };
  return { options, flags };
}

function parseExitCode(text: string): [number, number] {
  const codes = /^(\d{1,3})=(\d{1,3})$/.exec(text)?.slice(1).map(Number) ?? [];
  if (codes.length === 2 && codes.every((code) => code <= 255)) return [codes[0]!, codes[1]!];
  throw new UsageError(`--exit-code must be N=M, each from 0 to 255: got ${JSON.stringify(text)}`);
}

/** Returns the index of the command, or of the `--` before it. */
function commandAt(argv: readonly string[]): number {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === "--" || !word.startsWith("-")) return at;
    // Skip the value of an option.
    if (
      OPTIONS.some(({ name, value }) => value !== undefined && word === `--${name}`)
    ) at++;
  }
  return argv.length;
}
