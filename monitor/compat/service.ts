import { denoHost, Output, type Service } from "@ncolony/host";
import { Colony } from "../colony.ts";
import { DEFAULTS, type Options } from "../options.ts";

/**
 * Creates a monitor, as Python NColony's `service.makeService` does. Its log and its children's lines go to this
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
 * @throws {RangeError | TypeError} If an option is invalid.
 * @throws {Error} If the pid directory or the log directory cannot be created or used.
 */
export function makeService(options: Options): Service {
  return new Colony(options, {
    host: denoHost({ killScope: "session", ...options }),
    output: new Output({ level: "info", format: "text" }),
  });
}

/**
 * Creates a monitor with the default delays, as Python NColony's `service.get` does.
 *
 * @param config The config directory.
 * @param messages The messages directory.
 * @param freq The interval between full scans, in seconds.
 * @param pidDir The directory of pid files. Without it, none are written.
 */
export function get(config: string, messages: string, freq: number, pidDir?: string): Service {
  const pid = pidDir === undefined ? {} : { pid: pidDir };
  return makeService({ ...DEFAULTS, config, messages, frequency: freq, ...pid });
}
