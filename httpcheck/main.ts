import { parseCheckOptions, runDaemon } from "@ncolony/host";
import { makeHttpCheck } from "./httpcheck.ts";
import manifest from "./deno.json" with { type: "json" };
import { HELP } from "./options.ts";

/**
 * Runs httpcheck as a program, until a signal stops it.
 *
 * @param argv The command line, without the program's name.
 * @returns The exit code: 0 stopped as asked, 1 an error, 2 a wrong command line.
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
