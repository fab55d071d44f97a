import { denoHost, Output, type OutputOptions, type Service, SILENT_LOG } from "@ncolony/host";
import { Colony, type ColonyParts } from "./colony.ts";
import type { ColonyEvent } from "./events.ts";
import { DEFAULTS, type Options } from "./options.ts";

/** How many events wait to be read. Later ones are lost and counted. */
const MAX_WAITING_EVENTS = 10_000;

/** The options of a monitor inside a program. Times are in seconds and optional. */
export interface StartOptions
  extends Omit<Options, keyof typeof DEFAULTS>, Partial<Pick<Options, keyof typeof DEFAULTS>> {
  /** Where the log and the processes' output go; null: nowhere. @default {this program's stdout and stderr, as text} */
  readonly output?: OutputOptions | null;
}

/** A monitor that runs inside this program. `await using` stops the monitor and all of its processes. */
export interface RunningMonitor extends Service {
  /**
   * The events from the start until everything has ended. There can be one reader, and leaving its loop closes the
   * stream. Up to 10,000 events wait to be read. If more come, they are lost, and a `problem` event says how many.
   */
  readonly events: ReadableStream<ColonyEvent>;
}

/**
 * Starts a monitor inside this program. The program needs the monitor's permissions: read, write, run, env and
 * `--allow-sys=uid,gid`.
 *
 * The program must handle signals itself. If a signal ends the program, the processes keep running.
 *
 * The widest kill scope is the session, unless `killScope` is `"cgroup"`: then the program moves from one cgroup to the
 * next, and a child of its own that it starts meanwhile may end together with a process of the colony.
 *
 * @returns The running monitor: the same as {@linkcode makeService} returns, but started, and with its events.
 * @throws {RangeError | TypeError} If an option is invalid.
 * @throws {Error} If a directory is missing, other users may write the configs, or another monitor uses the messages
 * directory.
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
    host: denoHost({ killScope: "session", ...options }),
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

/** Creates a stream that holds a limited number of events, and reports how many more were lost. */
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
    controller?.enqueue({
      type: "problem",
      name: null,
      message: `${lost} events were lost, because they were not read fast enough`,
    });
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
