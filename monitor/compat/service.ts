import { denoHost, Output, type Service } from "@ncolony/host";
import { Colony } from "../colony.ts";
import { DEFAULTS, type Options } from "../options.ts";

/**
 * Makes a monitor, as Python NColony's `service.makeService` does. Its events and its children's lines go to this
 * program's stdout and stderr.
 *
 * @example
 * ```ts
 * import { DEFAULTS, makeService } from "@ncolony/monitor";
 *
 * const config = await Deno.makeTempDir();
 * const messages = await Deno.makeTempDir();
 * await using service = makeService({ ...DEFAULTS, config, messages });
 * await service.start();
 * ```
 *
 * @throws {RangeError | TypeError} Where an option is wrong.
 * @throws {Error} Where the pid or the log directory cannot be made or used.
 */
export function makeService(options: Options): Service {
  return new Colony(options, { host: denoHost(), output: new Output({ level: "info", format: "text" }) });
}

/**
 * Makes a monitor with the default delays, as Python NColony's `service.get` does.
 *
 * @param config The config directory.
 * @param messages The messages directory.
 * @param freq How often everything is looked at, in seconds.
 * @param pidDir Where pid files go, if anywhere.
 */
export function get(config: string, messages: string, freq: number, pidDir?: string): Service {
  const pid = pidDir === undefined ? {} : { pid: pidDir };
  return makeService({ ...DEFAULTS, config, messages, frequency: freq, ...pid });
}
