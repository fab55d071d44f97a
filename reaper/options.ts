import { UsageError } from "@ncolony/core";
import { COMMON_OPTIONS, type Option, optionsHelp, parseWords, secondsValue } from "@ncolony/host";

/** What a reaper is told; times are in seconds. */
export interface Options {
  /** The command and its arguments. */
  readonly args: readonly [string, ...string[]];
  /** How long what the command leaves behind has to end, until SIGKILL. @default {5} */
  readonly grace: number;
  /** How long the command has to end after SIGTERM, until SIGKILL. @default {30} */
  readonly killAfter: number;
  /** Whether the command leads a group of its own, which gets the signals. @default {false} */
  readonly group: boolean;
  /** The exit code that stands for one of the command's. */
  readonly exitCodes: ReadonlyMap<number, number>;
}

/** What a command line asks for. */
export interface Parsed {
  /** What the reaper is told; null where `--help` or `--version` ask for something else. */
  readonly options: Options | null;
  /** `help`, `version`. */
  readonly flags: ReadonlySet<string>;
}

const OPTIONS: readonly Option[] = [
  {
    name: "grace",
    value: "SECONDS",
    help: "SIGTERM to SIGKILL, for what CMD leaves behind [5]",
  },
  {
    name: "kill-after",
    value: "SECONDS",
    help: "SIGTERM to SIGKILL, for CMD itself [30]",
  },
  {
    name: "group",
    help: "give CMD a session of its own; signals reach all of it",
  },
  {
    name: "exit-code",
    value: "N=M",
    help: "end with M where CMD ends with N; may be given often",
  },
  ...COMMON_OPTIONS,
];

/** The text of `--help`. */
export const HELP = `ncolony-reaper: be PID 1 for one command.

Usage: ncolony-reaper [options] [--] CMD [ARG]...

${optionsHelp(OPTIONS)}

It passes every signal to CMD but KILL, STOP, CHLD and those of faults, waits for
every orphan, and when CMD has ended ends what CMD left behind. CMD begins with
the soft limit of open files (ulimit -n) raised to the hard one.
Exit codes: that of CMD; 128 + n where signal n ended it; 126 where it cannot be
run, 127 where it is not there; 1 an error, 2 a wrong command line.`;

/**
 * Parses a command line: options up to the first other word, which is the command.
 *
 * @throws {UsageError} Where it is wrong; the message names the option.
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

/** Where the command begins, or the `--` before it. */
function commandAt(argv: readonly string[]): number {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === "--" || !word.startsWith("-")) return at;
    // The value of an option is no command.
    if (
      OPTIONS.some(({ name, value }) => value !== undefined && word === `--${name}`)
    ) at++;
  }
  return argv.length;
}
