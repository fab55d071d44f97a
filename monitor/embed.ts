import { denoHost, Output, type OutputOptions, type Service, SILENT_LOG } from "@ncolony/host";
import { Colony, type ColonyParts } from "./colony.ts";
import type { ColonyEvent } from "./events.ts";
import { DEFAULTS, type Options } from "./options.ts";

/** How many events wait for somebody who reads them; what comes after that is lost, and counted. */
const MAX_WAITING_EVENTS = 10_000;

/** What a monitor inside a program is told; times are in seconds, and may be left out. */
export interface StartOptions
  extends Omit<Options, keyof typeof DEFAULTS>, Partial<Pick<Options, keyof typeof DEFAULTS>> {
  /** Where the log and the processes' output go; null: nowhere. @default {this program's stdout and stderr, as text} */
  readonly output?: OutputOptions | null;
}

/** A monitor that runs inside this program. `await using` stops it, and with it all of its processes. */
export interface RunningMonitor extends Service {
  /**
   * What happens, from the start, until everything has ended. For one reader; who leaves the loop ends it. Up to 10,000
   * events wait to be read; after that a `problem` says how many were lost.
   */
  readonly events: ReadableStream<ColonyEvent>;
}

/**
 * Starts a monitor inside this program, which needs the permissions of the monitor's: read, write, run, env and
 * `--allow-sys=uid,gid`.
 *
 * Signals are the program's own to listen to: one that it ends of leaves the processes behind.
 *
 * @returns The monitor, which runs: the same as {@linkcode makeService} gives, started, and with its events.
 * @throws {RangeError | TypeError} Where an option is wrong.
 * @throws {Error} Where a directory is missing, others may write the configs, or another monitor runs on the messages.
 *
 * @example
 * ```ts
 * import { startMonitor } from "@ncolony/monitor";
 *
 * const config = await Deno.makeTempDir();
 * const messages = await Deno.makeTempDir();
 * await using colony = await startMonitor({ config, messages, output: null });
 * await Deno.writeTextFile(`${config}/web`, '{"args": ["sleep", "1000"]}');
 * for await (const event of colony.events) {
 *   if (event.type === "started") break;
 * }
 * ```
 */
export async function startMonitor({ output, ...options }: StartOptions): Promise<RunningMonitor> {
  const { stream, push, close } = eventStream();
  const service = new Colony({ ...DEFAULTS, ...options }, {
    host: denoHost(),
    output: output === null ? SILENT : new Output(output ?? { level: "info", format: "text" }),
    onEvent: push,
  });
  service.ended.then(close);
  await service.start();
  return {
    events: stream,
    ended: service.ended,
    start: () => service.start(),
    stop: () => service.stop(),
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

const SILENT: ColonyParts["output"] = {
  log: SILENT_LOG,
  forChild: () => ({ stdout: () => Promise.resolve(), stderr: () => Promise.resolve(), end: () => {} }),
  flush: () => Promise.resolve(),
};

/** A stream that holds so many events, and tells how many it lost after that. */
function eventStream(): {
  readonly stream: ReadableStream<ColonyEvent>;
  readonly push: (event: ColonyEvent) => void;
  readonly close: () => void;
} {
  let controller: ReadableStreamDefaultController<ColonyEvent> | null = null;
  let lost = 0;
  const stream = new ReadableStream<ColonyEvent>({
    start: (its) => void (controller = its),
    pull: reportLost,
    cancel: () => void (controller = null),
  }, { highWaterMark: MAX_WAITING_EVENTS });
  function reportLost(): void {
    if (lost === 0) return;
    controller?.enqueue({ type: "problem", name: null, message: `${lost} events were lost: nobody read them` });
    lost = 0;
  }
  return {
    stream,
    push: (event) => {
      if ((controller?.desiredSize ?? 0) > 0) controller?.enqueue(event);
      else lost++;
    },
    close: () => {
      reportLost();
      controller?.close();
      controller = null;
    },
  };
}
