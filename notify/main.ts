import { shownText } from "@ncolony/core";
import { runDaemon } from "@ncolony/host";
import manifest from "./deno.json" with { type: "json" };
import { HELP, parseOptions } from "./options.ts";
import { makeNotifier } from "./service.ts";

/**
 * Runs the notifier as a program, until a signal stops it.
 *
 * @param argv The command line, without the program's name.
 * @returns The exit code: 0 if stopped as asked, 1 after an error, 2 if the command line is invalid.
 */
export async function main(argv: readonly string[]): Promise<number> {
  return await runDaemon({
    name: "ncolony-notify",
    version: manifest.version,
    help: HELP,
    parse: parseOptions,
    make: makeNotifier,
    describe: ({ args, on, status }) => `reports ${on.join(", ")} in ${status} to ${shownText(args[0])}`,
  }, argv);
}
