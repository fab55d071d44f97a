import { checkNumber, checkText } from "@ncolony/core";
import { COLONY_OPTION, placeValue, requiredPlace } from "../program/colony_option.ts";
import { type Parsed, parseDaemon } from "../program/daemon.ts";
import {
  COMMON_OPTIONS,
  LOG_OPTIONS,
  type Option,
  optionsHelp,
  type ParsedArgs,
  secondsValue,
} from "../program/options.ts";

/** The options of a program that checks processes. Times are in seconds, as in Python NColony. */
export interface CheckOptions {
  /** The monitor's config directory. */
  readonly config: string;
  /** The monitor's messages directory. */
  readonly messages: string;
  /** The monitor's directory of pid files, which show when processes start. @default {undefined} */
  readonly pid?: string;
  /** The monitor's status directory, in which the health of processes is reported. @default {undefined} */
  readonly status?: string;
  /** The time between two checks. @default {10} */
  readonly freq: number;
}

/** The default of `freq` in {@linkcode CheckOptions}. */
export const DEFAULT_FREQ = 10;

/** The least `freq`. */
const MIN_FREQ = 0.01;

const OPTIONS: readonly Option[] = [
  COLONY_OPTION,
  { name: "config", value: "DIR", help: "the config directory; required without --colony" },
  { name: "messages", value: "DIR", help: "the messages directory; required without --colony" },
  { name: "pid", value: "DIR", help: "the monitor's pid directory: shows start times" },
  { name: "status", value: "DIR", help: "the monitor's status directory: report health" },
  { name: "freq", aliases: ["frequency"], value: "SECONDS", help: `check this often [${DEFAULT_FREQ}]` },
  ...LOG_OPTIONS,
  ...COMMON_OPTIONS,
];

/** The lines of `--help` for {@linkcode CheckOptions}. */
export const CHECK_OPTIONS_HELP: string = optionsHelp(OPTIONS);

/**
 * Parses the command line of a program that checks processes.
 *
 * @throws {UsageError} If it is invalid. The message names the option.
 */
export function parseCheckOptions(argv: readonly string[]): Parsed<CheckOptions> {
  return parseDaemon(argv, OPTIONS, optionsIn);
}

function optionsIn(words: ParsedArgs): CheckOptions {
  const [pid, status] = [placeValue(words, "pid"), placeValue(words, "status")];
  return {
    config: requiredPlace(words, "config"),
    messages: requiredPlace(words, "messages"),
    ...(pid === undefined ? {} : { pid }),
    ...(status === undefined ? {} : { status }),
    freq: secondsValue(words, "freq", DEFAULT_FREQ, MIN_FREQ),
  };
}

/** Checks library options as the command line is checked. @throws {RangeError | TypeError} If one is invalid. */
export function checkCheckOptions({ config, messages, pid, status, freq }: CheckOptions): void {
  checkText("config", config);
  checkText("messages", messages);
  if (pid !== undefined) checkText("pid", pid);
  if (status !== undefined) checkText("status", status);
  if (freq === undefined) throw new TypeError('"freq" is missing');
  checkNumber("freq", freq, MIN_FREQ);
}
