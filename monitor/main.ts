import { answerCommon, denoHost, listenToSignals, Output, runProgram } from "@ncolony/host";
import manifest from "./deno.json" with { type: "json" };
import { HELP, parseOptions } from "./options.ts";
import { Colony } from "./service.ts";

const PROGRAM = { name: "ncolony-monitor", version: manifest.version, help: HELP };

/**
 * Runs the monitor as a program, until a signal stops it.
 *
 * @param argv The command line, without the program's name.
 * @returns The exit code: 0 stopped as asked, 1 an error, 2 a wrong command line.
 */
export async function main(argv: readonly string[]): Promise<number> {
  let colony: Colony | null = null;
  let isAsked = false;
  // The first act, for as PID 1 an unhandled signal would crash Deno.
  using _listening = listenToSignals(["SIGTERM", "SIGINT", "SIGHUP"], () => {
    isAsked = true;
    colony?.stop();
  });
  return await runProgram(PROGRAM, async () => {
    const { options, output: outputOptions, flags } = parseOptions(argv);
    if (options === null) return answerCommon(PROGRAM, flags) ? 0 : 2;
    const output = new Output(outputOptions);
    colony = new Colony(options, { host: denoHost(), output });
    using _catching = catchUnforeseen((error) => colony?.fail(error));
    output.log.info(`ncolony-monitor ${manifest.version} on ${options.config}, messages in ${options.messages}`);
    const exitCode = colony.start();
    if (isAsked) colony.stop();
    return await exitCode;
  });
}

/** Hands errors that nobody caught to `fail`: left to itself Deno would end, and leave the children running. */
function catchUnforeseen(fail: (error: unknown) => void): Disposable {
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    fail(event.error);
  };
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    fail(event.reason);
  };
  addEventListener("error", onError);
  addEventListener("unhandledrejection", onRejection);
  return {
    [Symbol.dispose]: () => {
      removeEventListener("error", onError);
      removeEventListener("unhandledrejection", onRejection);
    },
  };
}
