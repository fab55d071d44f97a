import {
  askHttp,
  checkCheckOptions,
  type CheckOptions,
  CheckService,
  configDirectory,
  denoClock,
  LoopHeart,
  messageDirectory,
  Output,
  type ProgramService,
  type Service,
} from "@ncolony/host";
import { HttpChecks } from "./http_checks.ts";

/**
 * Makes a checker of answers, as Python NColony's `httpcheck.makeService` does. What it does is told on this program's
 * stderr.
 *
 * @example
 * ```ts
 * import { makeService } from "@ncolony/httpcheck";
 *
 * const config = await Deno.makeTempDir();
 * const messages = await Deno.makeTempDir();
 * await using service = makeService({ config, messages, freq: 10 });
 * await service.start();
 * ```
 */
export function makeService(options: CheckOptions): Service {
  return makeHttpCheck(options, new Output({ level: "info", format: "text" }), new LoopHeart(denoClock));
}

/** Whoever else may write the configs can have processes asked and restarted by this: that is the monitor's care. */
const TRUST = { allowInsecure: true } as const;

/** Makes a checker that tells what it does on this output. */
export function makeHttpCheck(options: CheckOptions, output: Output, heart: LoopHeart): ProgramService {
  checkCheckOptions(options);
  const { config, messages, pid = null, freq } = options;
  const directory = configDirectory(config, TRUST);
  const host = {
    clock: denoClock,
    directory,
    messagesDirectory: messageDirectory(messages, TRUST),
    pids: pid,
    output,
    heart,
  };
  return new CheckService(freq, host, (parts) => new HttpChecks(parts, askHttp));
}
