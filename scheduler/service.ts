import { type Exit, type KillScope, killTimeWithin } from "@ncolony/core";
import {
  type ChildOutput,
  denoClock,
  type Log,
  LoopHeart,
  Output,
  ownKillTimeMs,
  type ProgramService,
  requireRun,
  type Service,
  SILENT_LOG,
  spawnChild,
  type SpawnOptions,
  TimeFile,
  type Watchdog,
} from "@ncolony/host";
import { basename } from "@std/path/posix/basename";
import { parseCron } from "./cron.ts";
import { checkOptions, checkRun, type Options, readZone } from "./options.ts";
import { Scheduler } from "./scheduler.ts";
import { byCron, every, NO_LAST, once, type Times } from "./times.ts";

/** How long the last lines of a run may take to be written. */
const FLUSH_MS = 1000;

/** What {@linkcode runProcess} may be told besides. */
export interface RunOptions {
  /** Where the lines of the process go. @default {this program's stdout and stderr, as `[name] line`} */
  readonly output?: ChildOutput;
  /** Whom the signals reach. @default {"group"} */
  readonly killScope?: KillScope;
}

/**
 * Runs a command once (Python NColony's `schedulelib.runProcess`).
 *
 * Its environment is this program's own, its stdin is empty. What it leaves behind in its process group is ended too. An
 * `output` of the caller's is told its `end()` when all was read, which may be a moment later.
 *
 * @param args The command and its arguments.
 * @param timeout How long it may take, until SIGTERM, in seconds.
 * @param grace How long it has to end then, until SIGKILL, in seconds.
 * @returns How it ended, whatever its code or signal.
 * @throws {RangeError | TypeError} Where an argument is wrong.
 * @throws {Error} Where it cannot be started, or not be signalled.
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
  checkRun({ args, timeout, grace });
  const own = options.output === undefined ? new Output({ level: "info", format: "text" }) : null;
  const output = options.output ?? own!.forChild(nameOf(args));
  const run = new Scheduler({
    clock: denoClock,
    spawn: (output, listener) => spawnChild(startOf({ args, ...options }), output, listener, denoClock),
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
 * Makes a scheduler, as Python NColony's `schedulelib.makeService` does. Its events and the command's lines go to this
 * program's stdout and stderr.
 *
 * @throws {RangeError | TypeError} Where an option is wrong.
 * @throws {UsageError} Where the cron expression or the time zone is.
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

/** Makes a scheduler that writes to this output. */
export function makeScheduler(options: Options, output: Output, heart: Watchdog): ProgramService {
  checkOptions(options);
  requireRun();
  const { args, timeout, grace, maxFailures = Infinity, once: isOnce = false } = options;
  const { log } = output;
  return new Scheduler({
    clock: denoClock,
    spawn: (output, listener) => spawnChild(startOf(options), output, listener, denoClock),
    times: isOnce ? once(denoClock) : timesOf(options, (message) => log.warn(message)),
    policy: { timeoutMs: timeout * 1000, graceMs: grace * 1000, stopMs: stopMsOf(grace, log), maxFailures, isOnce },
    output: { log, forRun: () => output.forChild(nameOf(args)), flush: (deadlineMs) => output.flush(deadlineMs) },
    heart,
  });
}

/**
 * How long a run has when this program is asked to stop, in milliseconds. If the monitor killed this program first, nobody
 * would end the run. Logs a grace that is longer.
 */
function stopMsOf(grace: number, log: Log): number {
  const killTimeMs = ownKillTimeMs();
  if (killTimeMs === null) return Infinity;
  const stopMs = killTimeWithin(killTimeMs);
  if (stopMs < grace * 1000) {
    log.warn(
      `--grace ${grace} does not fit into the ${killTimeMs / 1000} s that the monitor gives to end ` +
        `(kill_time): when asked to stop, a run has ${stopMs / 1000} s until SIGKILL`,
    );
  }
  return stopMs;
}

/** The command's environment is this program's own, as in Python NColony; its stdin is empty, as cron has it. */
function startOf({ args, killScope = "group" }: Pick<Options, "args" | "killScope">): SpawnOptions {
  return { args, killScope, stdin: "null" };
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
