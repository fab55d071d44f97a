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
 * Creates a service that checks HTTP servers, as Python NColony's `httpcheck.makeService` does. It logs to stderr.
 *
 * @throws {RangeError | TypeError} If an option is invalid.
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

/** Other users who can write the configs can cause requests and restarts. The monitor decides whether to trust them. */
const TRUST = { allowInsecure: true } as const;

/** Creates a service that checks HTTP servers, and logs to an output. */
export function makeHttpCheck(options: CheckOptions, output: Output, heart: LoopHeart): ProgramService {
  checkCheckOptions(options);
  const { config, messages, pid = null, status = null, freq } = options;
  const directory = configDirectory(config, TRUST);
  const host = {
    name: "httpcheck",
    clock: denoClock,
    directory,
    messagesDirectory: messageDirectory(messages, TRUST),
    pids: pid,
    status,
    output,
    heart,
  };
  return new CheckService(freq, host, (parts) => new HttpChecks(parts, askHttp));
}
