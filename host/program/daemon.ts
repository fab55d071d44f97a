import { UsageError } from "@ncolony/core";
import { denoClock } from "../clock.ts";
import { Output, type OutputOptions } from "../output/output.ts";
import type { ProgramService } from "../service.ts";
import type { Log } from "../types.ts";
import { closeOnExec } from "./close_on_exec.ts";
import { LoopHeart } from "./heart.ts";
import { inherited } from "./inherited.ts";
import { type Option, outputOptions, type ParsedArgs, parseWords } from "./options.ts";
import { answerCommon, printLine, type Program, runProgram } from "./program.ts";
import { listenToSignals, outliveStraySignals, STOPPING } from "./signals.ts";
import { catchUncaught } from "./uncaught.ts";

/** Signals within this many milliseconds are one request: a terminal and a task runner may both pass on a Ctrl-C. */
const SAME_REQUEST_MS = 1000;

/** The parsed command line of a long-running program. */
export interface Parsed<T> {
  /** The options of the program. Null if `--help` or `--version` was given. */
  readonly options: T | null;
  /** How the output and the log are written. */
  readonly output: OutputOptions;
  /** The flags that were given, such as `help` and `version`. */
  readonly flags: ReadonlySet<string>;
}

/**
 * Parses the command line of a long-running program, which takes no operands.
 *
 * @param options The options of the program, with those of its output.
 * @param read Returns what they mean. It is not called for `--help` and `--version`.
 * @throws {UsageError} If it is invalid. The message names the option.
 */
export function parseDaemon<T>(
  argv: readonly string[],
  options: readonly Option[],
  read: (words: ParsedArgs) => T,
): Parsed<T> {
  const words = parseWords(argv, options);
  const { flags } = words;
  const output = outputOptions(words);
  if (flags.has("help") || flags.has("version")) return { options: null, output, flags };
  if (words.words.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(words.words[0])}`);
  return { options: read(words), output, flags };
}

/** A program that runs until it is asked to stop. */
export interface Daemon<T> extends Program {
  /** Parses the command line. @throws {UsageError} If it is invalid. */
  parse(argv: readonly string[]): Parsed<T>;
  /** Returns what to print instead of running, if the options ask for that, or null. */
  answer?(options: T): string | null;
  /** Creates the service to run. Its loop must call `heart.beat()`. */
  make(options: T, output: Output, heart: LoopHeart): ProgramService;
  /** Whether it may write nothing, so that it has no heart. @default {false} */
  readonly isHeartless?: boolean;
  /** Describes what it works on, for the first line of the log. */
  describe(options: T): string;
}

/**
 * Runs a program until SIGTERM, SIGINT, SIGHUP or SIGQUIT stops it, with the heart that its config asks for. Signals
 * that were ignored at the start, such as SIGHUP under nohup(1), stay ignored. The program survives all other signals
 * that it can.
 *
 * The soft limit of CPU time (SIGXCPU) stops it as well, with exit code 1, because SIGKILL at the hard limit would
 * leave its children behind. A file size limit does not stop it.
 *
 * With `--allow-all`, its children inherit no file descriptors that its parent left open.
 *
 * @param argv The command line, without the program's name.
 * @returns The exit code: 0 after a stop as asked, 1 after an error, 2 for an invalid command line.
 */
export async function runDaemon<T>(daemon: Daemon<T>, argv: readonly string[]): Promise<number> {
  let service: ProgramService | null = null;
  let log: Log | null = null;
  let askedAt = -Infinity;
  let isOutOfTime = false;
  // This must come first, because an unhandled signal would crash Deno as PID 1.
  const { isIgnored, isBlocked, isNonBlocking } = inherited();
  const listening = listenToSignals([...STOPPING, "SIGXCPU"], (signal) => {
    // Dropped only here: Deno listens to some itself, and children would inherit a stop signal that is ignored.
    if (isIgnored(signal)) return;
    const isLimit = signal === "SIGXCPU";
    // The kernel sends SIGXCPU every second.
    if (isLimit ? askedAt > -Infinity : denoClock.now() - askedAt < SAME_REQUEST_MS) return;
    askedAt = denoClock.now();
    isOutOfTime ||= isLimit;
    if (isLimit) log?.error("stopping: CPU time limit reached (ulimit -t, SIGXCPU)");
    service?.stop();
  });
  outliveStraySignals();
  const code = await runProgram(daemon, async () => {
    const { options, output: outputOptions, flags } = daemon.parse(argv);
    if (options === null) return answerCommon(daemon, flags) ? 0 : 2;
    const answer = daemon.answer?.(options) ?? null;
    if (answer !== null) {
      printLine(answer);
      return 0;
    }
    const output = new Output(outputOptions, isNonBlocking);
    log = output.log;
    const heart = new LoopHeart(denoClock, {
      onFault: (fault) => output.log.error(fault),
      ...(daemon.isHeartless ? { environ: () => undefined } : {}),
    });
    const leak = closeOnExec();
    service = daemon.make(options, output, heart);
    using _catching = catchUncaught((error) => service?.fail(error));
    await service.start();
    output.log.info(`${daemon.name} ${daemon.version} ${daemon.describe(options)}`);
    const blocked = STOPPING.filter(isBlocked);
    if (blocked.length > 0) {
      output.log.warn(`${blocked.join(", ")} cannot stop this program: blocked by the program that started it`);
    }
    if (leak !== null) output.log.warn(leak);
    if (askedAt > -Infinity) service.stop();
    return await service.ended || Number(isOutOfTime);
  });
  // After a run the program exits now. A signal just before that must not replace its exit code.
  if (service === null) listening[Symbol.dispose]();
  else denoClock.after(0, () => listening[Symbol.dispose]());
  return code;
}
