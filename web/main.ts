import { runDaemon } from "@ncolony/host";
import manifest from "./deno.json" with { type: "json" };
import { HELP, parseOptions } from "./options.ts";
import { WebService } from "./service.ts";

/**
 * Runs the web server as a program until a signal stops it.
 *
 * @param argv The command line, without the name of the program.
 * @returns The exit code: 0 if it was stopped, 1 on an error, 2 if the command line is invalid.
 */
export async function main(argv: readonly string[]): Promise<number> {
  return await runDaemon({
    name: "ncolony-web",
    version: manifest.version,
    help: HELP,
    parse: parseOptions,
    isHeartless: true,
    make: (options, output) => new WebService(options, output),
    describe: ({ status }) => `shows ${status}`,
  }, argv);
}
