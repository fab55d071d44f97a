import { parseCheckOptions, runDaemon } from "@ncolony/host";
import { makeHttpCheck } from "./httpcheck.ts";
import manifest from "./deno.json" with { type: "json" };
import { HELP } from "./options.ts";

/**
 * Runs httpcheck as a program until a signal stops it.
 *
 * @param argv The command line, without the name of the program.
 * @returns The exit code: 0 if it was stopped, 1 on an error, 2 if the command line is invalid.
 */
export async function main(argv: readonly string[]): Promise<number> {
  return await runDaemon({
    name: "ncolony-httpcheck",
    version: manifest.version,
    help: HELP,
    parse: parseCheckOptions,
    make: makeHttpCheck,
    describe: ({ config, messages }) => `on ${config}, messages in ${messages}`,
  }, argv);
}
