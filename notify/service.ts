import { denoClock, LoopHeart, Output, type ProgramService, requireRun, type Service } from "@ncolony/host";
import { Notifier } from "./notifier.ts";
import { checkOptions, type Options } from "./options.ts";

/**
 * Creates a notifier. Its log and the command's lines go to this program's stdout and stderr.
 *
 * @throws {RangeError | TypeError} If an option is invalid.
 * @throws {Error} If `--allow-run` is missing, or limited to a list of commands.
 *
 * @example
 * ```ts
 * import { makeService } from "@ncolony/notify";
 *
 * const dir = Deno.makeTempDirSync();
 * await using service = makeService({
 *   status: `${dir}/status`,
 *   state: `${dir}/notify/state`,
 *   on: ["crash-loop", "monitor-gone"],
 *   args: ["sh", "-c", 'echo "$NCOLONY_SUMMARY"'],
 * });
 * await service.start();
 * ```
 */
export function makeService(options: Options): Service {
  return makeNotifier(options, new Output({ level: "info", format: "text" }), new LoopHeart(denoClock));
}

/** Creates a notifier that writes to the given output. */
export function makeNotifier(options: Options, output: Output, heart: LoopHeart): ProgramService {
  checkOptions(options);
  requireRun();
  return new Notifier(options, { clock: denoClock, output, heart });
}
