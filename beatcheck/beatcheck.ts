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
 * Finds the processes that must be restarted because their hearts are silent, by one look (Python NColony's
 * `beatcheck.check`).
 *
 * @param config The config directory.
 * @param startMs When the checker was started, in milliseconds since 1970.
 * @param nowMs The time, in milliseconds since 1970.
 * @returns Their names. Configs that are bad name none.
 * @throws {Error} Where there is no such directory.
 *
 * @example
 * ```ts
 * import { check } from "@ncolony/beatcheck";
 *
 * const config = await Deno.makeTempDir();
 * const beat = { period: 10, grace: 3, status: `${config}/.heart` };
 * await Deno.writeTextFile(`${config}/web`, JSON.stringify({ args: ["httpd"], "ncolony.beatcheck": beat }));
 * const now = Date.now();
 * if ((await check(config, now, now + 29_000)).length > 0) throw new Error("it has its grace");
 * if ((await check(config, now, now + 40_000)).join() !== "web") throw new Error("it never beat");
 * ```
 */
export async function check(config: string, startMs: number, nowMs: number): Promise<string[]> {
  const directory = openConfig(config);
  const identity = directory.identity();
  if ("fault" in identity) throw new Error(`Cannot look at ${JSON.stringify(config)}: it ${identity.fault}`);
  const hearts = new Hearts(directory, SILENT_LOG);
  for await (const { name, event } of new Configs({ directory, clock: denoClock, log: SILENT_LOG }).changes("all")) {
    if (event !== null) hearts.onEvent(name, event);
  }
  return hearts.silent(startMs, nowMs, new Map()).map(({ name }) => name);
}

/**
 * Makes a checker of hearts, as Python NColony's `beatcheck.makeService` does. What it does is told on this program's
 * stderr.
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

/** Makes a checker that tells what it does on this output. */
export function makeBeatCheck(options: CheckOptions, output: Output, heart: LoopHeart): ProgramService {
  checkCheckOptions(options);
  const { config, messages, pid = null, freq } = options;
  const host = {
    clock: denoClock,
    directory: openConfig(config),
    messagesDirectory: messageDirectory(messages, TRUST),
    pids: pid,
    output,
    heart,
  };
  return new CheckService(freq, host, (parts) => new BeatCheck(parts));
}

/** Whoever else may write the configs can have processes restarted by this, and nothing more: that is the monitor's care. */
const TRUST = { allowInsecure: true } as const;

function openConfig(path: string): Directory {
  return configDirectory(path, TRUST);
}
