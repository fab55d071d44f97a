import { answerCommon, complain, runProgram } from "@ncolony/host";
import manifest from "./deno.json" with { type: "json" };
import { HELP, parseOptions } from "./options.ts";
import { runReaper } from "./run.ts";

const PROGRAM = { name: "ncolony-reaper", version: manifest.version, help: HELP };

/**
 * Runs the reaper as a program, until its command has exited.
 *
 * @param argv The command line, without the program's name.
 * @returns The exit code: the command's, 128 + n if signal n killed it, 126 or 127 if it could not be started, 1 for an
 * error, 2 for an invalid command line.
 */
export async function main(argv: readonly string[]): Promise<number> {
  return await runProgram(PROGRAM, async () => {
    const { options, flags } = parseOptions(argv);
    if (options === null) return answerCommon(PROGRAM, flags) ? 0 : 2;
    return await runReaper(options, (message) => complain(PROGRAM, message));
  });
}
