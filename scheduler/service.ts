import { type Exit, type KillScope, UsageError } from "@ncolony/core";
import {
  type ChildOutput,
  denoClock,
  JobFile,
  type Log,
  LoopHeart,
  Output,
  type ProgramService,
  requireRun,
  Runner,
  type RunnerParts,
  type Service,
  SILENT_LOG,
  spawnChild,
  type SpawnOptions,
  stopMsOf,
  TimeFile,
  type Times,
  type Watchdog,
  whyNoScope,
} from "@ncolony/host";
import { basename } from "@std/path/posix/basename";
import { parseCron } from "./cron.ts";
import { checkOptions, checkRun, nameOfJob } from "./check_options.ts";
import { type Options, readZone } from "./options.ts";
import { JobReport } from "./job_report.ts";
import { byCron, every, NO_LAST, once } from "./times.ts";

/** How long writing the last lines of a run may take, in milliseconds. */
const FLUSH_MS = 1000;

/** The other options of {@linkcode runProcess}. */
export interface RunOptions {
  /** Where the lines of the process go. @default {this program's stdout and stderr, as `[name] line`} */
  readonly output?: ChildOutput;
  /** Which processes get the signals. `cgroup` is only for the monitor. @default {"all"} */
  readonly killScope?: KillScope;
}

/**
 * Runs a command once (Python NColony's `schedulelib.runProcess`).
 *
 * The command gets this program's environment and an empty stdin. Processes that it leaves in its kill scope are
 * ended too. `options.output.end()` is called when everything was read, which may be shortly after the promise
 * resolves.
 *
 * @param args The command and its arguments.
 * @param timeout How long the command may take before it gets SIGTERM, in seconds.
 * @param grace The time from SIGTERM to SIGKILL, in seconds.
 * @returns How the command ended, with any exit code or signal.
 * @throws {RangeError | TypeError} If an argument is invalid.
 * @throws {Error} If the command cannot be started or signaled, or SIGKILL does not end it.
 *
 * @example
 * ```ts
 * import { runProcess } from "@ncolony/scheduler";
 *
 * const exit = await runProcess(["true"], 10, 1);
 * if (exit.type !== "code" || exit.code !== 0) throw new Error("unexpected");
 * ```
 */
export async function runProcess(
  args: readonly [string, ...string[]],
  timeout: number,
  grace: number,
  options: RunOptions = {},
): Promise<Exit> {
  checkRun({ ...options, args, timeout, grace });
  const own = options.output === undefined ? new Output({ level: "info", format: "text" }) : null;
  const output = options.output ?? own!.forChild(nameOf(args));
  const run = new Runner({
    clock: denoClock,
    spawn: starter({ args, ...options }),
    times: once(denoClock),
    policy: {
      timeoutMs: timeout * 1000,
      graceMs: grace * 1000,
      stopMs: Infinity,
      maxFailures: Infinity,
      isOnce: true,
    },
    output: { log: SILENT_LOG, forRun: () => output, flush: () => Promise.resolve() },
  });
  const ended = await run.run();
  await own?.flush(FLUSH_MS);
  const command = JSON.stringify(args[0]);
  if (ended === null || ended.exit === null) throw new Error(`Cannot signal ${command}`);
  if (ended.exit.type === "failed") throw new Error(`Cannot start ${command}: ${ended.exit.reason}`);
  return ended.exit;
}

/**
 * Creates a scheduler, as Python NColony's `schedulelib.makeService` does. Its log and the command's lines go to this
 * program's stdout and stderr.
 *
 * @throws {RangeError | TypeError} If an option is invalid.
 * @throws {UsageError} If the cron expression or the time zone is invalid.
 *
 * @example
 * ```ts
 * import { makeService } from "@ncolony/scheduler";
 *
 * await using service = makeService({ args: ["true"], frequency: 60, timeout: 10, grace: 1 });
 * await service.start();
 * ```
 */
export function makeService(options: Options): Service {
  return makeScheduler(options, new Output({ level: "info", format: "text" }), new LoopHeart(denoClock));
}

/** Creates a scheduler that writes to the given output. */
export function makeScheduler(options: Options, output: Output, heart: Watchdog): ProgramService {
  checkOptions(options);
  requireRun();
  const { args, timeout, grace, maxFailures = Infinity, once: isOnce = false } = options;
  const { log } = output;
  return new Runner({
    clock: denoClock,
    spawn: starter(options),
    times: isOnce ? once(denoClock) : timesOf(options, (message) => log.warn(message)),
    policy: { timeoutMs: timeout * 1000, graceMs: grace * 1000, stopMs: stopMsOf(grace, log), maxFailures, isOnce },
    output: { log, forRun: () => output.forChild(nameOf(args)), flush: (deadlineMs) => output.flush(deadlineMs) },
    heart,
    ...(options.status === undefined ? {} : { listener: reportIn(options.status, nameOfJob(options)!, log) }),
  });
}

function reportIn(status: string, name: string, log: Log): JobReport {
  return new JobReport(name, new JobFile(status, name, denoClock, log), denoClock);
}

/**
 * Returns what starts a command with this program's environment, as in Python NColony, and an empty stdin, as with cron.
 *
 * @throws {UsageError} If the machine does not offer the kill scope.
 */
function starter({ args, killScope = "all" }: Pick<Options, "args" | "killScope">): RunnerParts["spawn"] {
  const why = whyNoScope(killScope, denoClock);
  if (why !== null) throw new UsageError(`--kill-scope ${killScope} is not available: ${why}`);
  const start: SpawnOptions = { name: nameOf(args), args, killScope, stdin: "null" };
  return (output, listener) => spawnChild(start, output, listener, denoClock);
}

function timesOf(
  { frequency, cron, timezone, last, catchUp = false, splay = 0 }: Options,
  warn: (line: string) => void,
): Times {
  const delay = () => Math.random() * splay * 1000;
  if (cron !== undefined) {
    return byCron(parseCron(cron, timezone ?? readZone().name), denoClock, {
      splay: delay,
      catchUp,
      last: last === undefined
        ? NO_LAST
        : new TimeFile(last, (fault) => warn(`--last ${JSON.stringify(last)} ${fault}`)),
      warn,
    });
  }
  return every(frequency! * 1000, denoClock, delay);
}

function nameOf([command]: Options["args"]): string {
  return basename(command);
}
