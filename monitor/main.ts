import { denoHost, mayReadProc, runDaemon } from "@ncolony/host";
import { Colony } from "./colony.ts";
import manifest from "./deno.json" with { type: "json" };
import { HELP, parseOptions } from "./options.ts";

/** The note about a missing permission in the first line of the log. */
const BLIND = "; without --allow-all it cannot read /proc and finds fewer leftover processes of a killed monitor";

/**
 * Runs the monitor as a program, until a signal stops it.
 *
 * @param argv The command line, without the program's name.
 * @returns The exit code: 0 if stopped as asked, 1 after an error, 2 if the command line is invalid.
 */
export async function main(argv: readonly string[]): Promise<number> {
  return await runDaemon({
    name: "ncolony-monitor",
    version: manifest.version,
    help: HELP,
    parse: parseOptions,
    make: (options, output, heart) => new Colony(options, { host: denoHost(options), output, heart }),
    describe: ({ config, messages }) => `on ${config}, messages in ${messages}${mayReadProc() ? "" : BLIND}`,
  }, argv);
}
