import {
  checkCheckOptions,
  type CheckOptions,
  CheckService,
  configDirectory,
  Configs,
  denoClock,
  type Directory,
  LoopHeart,
  messageDirectory,
  Output,
  type ProgramService,
  type Service,
  SILENT_LOG,
} from "@ncolony/host";
import { BeatCheck } from "./beat_check.ts";
import { Hearts } from "./hearts.ts";

/**
 * Finds the processes that must be restarted because their heartbeat is overdue, in one scan (Python NColony's
 * `beatcheck.check`).
 *
 * @param config The config directory.
 * @param startMs When the checker was started, in milliseconds since 1970.
 * @param nowMs The time, in milliseconds since 1970.
 * @returns The names of the processes. Invalid configs are ignored.
 * @throws {Error} If the directory does not exist.
 *
 * @example
 * ```ts
 * import { check } from "@ncolony/beatcheck";
 *
 * const config = await Deno.makeTempDir();
 * const beat = { period: 10, grace: 3, status: `${config}/.heart` };
 * await Deno.writeTextFile(`${config}/web`, JSON.stringify({ args: ["httpd"], "ncolony.beatcheck": beat }));
 * const now = Date.now();
 * if ((await check(config, now, now + 29_000)).length > 0) throw new Error("its grace is not over");
 * if ((await check(config, now, now + 40_000)).join() !== "web") throw new Error("it never beat");
 * ```
 */
export async function check(config: string, startMs: number, nowMs: number): Promise<string[]> {
  const directory = openConfig(config);
  const identity = directory.identity();
  if ("fault" in identity) throw new Error(`Cannot read directory ${JSON.stringify(config)}: ${identity.fault}`);
  const hearts = new Hearts(directory, SILENT_LOG);
  for await (const { name, event } of new Configs({ directory, clock: denoClock, log: SILENT_LOG }).changes("all")) {
    if (event !== null) hearts.onEvent(name, event);
  }
  return hearts.silent(startMs, nowMs, new Map()).map(({ name }) => name);
}

/**
 * Creates a service that checks heartbeats, as Python NColony's `beatcheck.makeService` does. It logs to stderr.
 *
 * @throws {RangeError | TypeError} If an option is invalid.
 *
 * @example
 * ```ts
 * import { makeService } from "@ncolony/beatcheck";
 *
 * const config = await Deno.makeTempDir();
 * const messages = await Deno.makeTempDir();
 * await using service = makeService({ config, messages, freq: 10 });
 * await service.start();
 * ```
 */
export function makeService(options: CheckOptions): Service {
  return makeBeatCheck(options, new Output({ level: "info", format: "text" }), new LoopHeart(denoClock));
}

/** Creates a service that checks heartbeats, and logs to an output. */
export function makeBeatCheck(options: CheckOptions, output: Output, heart: LoopHeart): ProgramService {
  checkCheckOptions(options);
  const { config, messages, pid = null, status = null, freq } = options;
  const host = {
    name: "beatcheck",
    clock: denoClock,
    directory: openConfig(config),
    messagesDirectory: messageDirectory(messages, TRUST),
    pids: pid,
    status,
    output,
    heart,
  };
  return new CheckService(freq, host, (parts) => new BeatCheck(parts));
}

/** Other users who can write the configs can only cause restarts here. The monitor decides whether to trust them. */
const TRUST = { allowInsecure: true } as const;

function openConfig(path: string): Directory {
  return configDirectory(path, TRUST);
}
