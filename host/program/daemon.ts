import { denoClock } from "../clock.ts";
import { Output, type OutputOptions } from "../output/output.ts";
import type { ProgramService } from "../service.ts";
import type { Log } from "../types.ts";
import { LoopHeart } from "./heart.ts";
import { inherited } from "./inherited.ts";
import { answerCommon, printLine, type Program, runProgram } from "./program.ts";
import { listenToSignals, outliveStraySignals, STOPPING } from "./signals.ts";
import { catchUncaught } from "./uncaught.ts";

/** Signals that come closer together are one request: a terminal and a task runner may both pass on the same Ctrl-C. */
const SAME_REQUEST_MS = 1000;

/** What a command line of a program that runs for long asks for. */
export interface Parsed<T> {
  /** What the program is told; null where `--help` or `--version` ask for something else. */
  readonly options: T | null;
  /** Where it writes. */
  readonly output: OutputOptions;
  /** `help`, `version`. */
  readonly flags: ReadonlySet<string>;
}

/** A program that runs until it is asked to stop. */
export interface Daemon<T> extends Program {
  /** Parses its command line. @throws {UsageError} Where it is wrong. */
  parse(argv: readonly string[]): Parsed<T>;
  /** Says what it prints in place of running, where its options ask for that. */
  answer?(options: T): string | null;
  /** Makes what it runs; its loop passes by the heart. */
  make(options: T, output: Output, heart: LoopHeart): ProgramService;
  /** Says what it works on, for the first line of its log. */
  describe(options: T): string;
}

/**
 * Runs a program until SIGTERM, SIGINT, SIGHUP or SIGQUIT stop it, with the heart that its config asks for. What of these was
 * ignored when it began, as under nohup(1), stays ignored; and it outlives all other signals that it can.
 *
 * A soft limit of CPU time (SIGXCPU) stops it as well, with exit code 1: at the hard one SIGKILL would, and leave its
 * children behind. A file size limit does not.
 *
 * @param argv The command line, without the program's name.
 * @returns The exit code: 0 stopped as asked, 1 an error, 2 a wrong command line.
 */
export async function runDaemon<T>(daemon: Daemon<T>, argv: readonly string[]): Promise<number> {
  let service: ProgramService | null = null;
  let log: Log | null = null;
  let askedAt = -Infinity;
  let isOutOfTime = false;
  // The first act, for as PID 1 an unhandled signal would crash Deno.
  const { isIgnored, isBlocked, isNonBlocking } = inherited();
  const listening = listenToSignals([...STOPPING, "SIGXCPU"], (signal) => {
    // Deno listens to some of its own accord. Children begin with the default, for their stop signal may be this one.
    if (isIgnored(signal)) return;
    const isLimit = signal === "SIGXCPU";
    // The kernel sends that one every second.
    if (isLimit ? askedAt > -Infinity : denoClock.now() - askedAt < SAME_REQUEST_MS) return;
    askedAt = denoClock.now();
    isOutOfTime ||= isLimit;
    if (isLimit) log?.error("stopping: the CPU time that `ulimit -t` allows is used up (SIGXCPU)");
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
    const heart = new LoopHeart(denoClock, { onFault: (fault) => output.log.error(fault) });
    service = daemon.make(options, output, heart);
    using _catching = catchUncaught((error) => service?.fail(error));
    await service.start();
    output.log.info(`${daemon.name} ${daemon.version} ${daemon.describe(options)}`);
    const blocked = STOPPING.filter(isBlocked);
    if (blocked.length > 0) {
      output.log.warn(`${blocked.join(", ")} cannot stop it: blocked by whoever started it`);
    }
    if (askedAt > -Infinity) service.stop();
    return await service.ended || Number(isOutOfTime);
  });
  // Once it ran, the program exits now: a signal just then must not take the place of its exit code.
  if (service === null) listening[Symbol.dispose]();
  else denoClock.after(0, () => listening[Symbol.dispose]());
  return code;
}
