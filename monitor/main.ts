import { answerCommon, catchUnforeseen, denoClock, denoHost, listenToSignals, Output, runProgram } from "@ncolony/host";
import manifest from "./deno.json" with { type: "json" };
import { HELP, parseOptions } from "./options.ts";
import { Colony } from "./service.ts";

/** Signals that come closer together are one request: a terminal and a task runner may both pass on the same Ctrl-C. */
const SAME_REQUEST_MS = 1000;

const PROGRAM = { name: "ncolony-monitor", version: manifest.version, help: HELP };

/**
 * Runs the monitor as a program, until a signal stops it.
 *
 * @param argv The command line, without the program's name.
 * @returns The exit code: 0 stopped as asked, 1 an error, 2 a wrong command line.
 */
export async function main(argv: readonly string[]): Promise<number> {
  let colony: Colony | null = null;
  let askedAt = -Infinity;
  // The first act, for as PID 1 an unhandled signal would crash Deno.
  using _listening = listenToSignals(["SIGTERM", "SIGINT", "SIGHUP"], () => {
    if (denoClock.now() - askedAt < SAME_REQUEST_MS) return;
    askedAt = denoClock.now();
    colony?.stop();
  });
  return await runProgram(PROGRAM, async () => {
    const { options, output: outputOptions, flags } = parseOptions(argv);
    if (options === null) return answerCommon(PROGRAM, flags) ? 0 : 2;
    const output = new Output(outputOptions);
    colony = new Colony(options, { host: denoHost(), output });
    using _catching = catchUnforeseen((error) => colony?.fail(error));
    const exitCode = colony.start();
    output.log.info(`ncolony-monitor ${manifest.version} on ${options.config}, messages in ${options.messages}`);
    if (askedAt > -Infinity) colony.stop();
    return await exitCode;
  });
}
