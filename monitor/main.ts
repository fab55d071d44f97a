import { denoHost, mayReadProc, runDaemon } from "@ncolony/host";
import { Colony } from "./colony.ts";
import manifest from "./deno.json" with { type: "json" };
import { HELP, parseOptions } from "./options.ts";

/** What it lacks, for the first line of its log. */
const BLIND = "; without --allow-all it may not read /proc, and finds less of what a killed monitor left running";

/**
 * Runs the monitor as a program, until a signal stops it.
 *
 * @param argv The command line, without the program's name.
 * @returns The exit code: 0 stopped as asked, 1 an error, 2 a wrong command line.
 */
export async function main(argv: readonly string[]): Promise<number> {
  return await runDaemon({
    name: "ncolony-monitor",
    version: manifest.version,
    help: HELP,
    parse: parseOptions,
    make: (options, output, heart) => new Colony(options, { host: denoHost(), output, heart }),
    describe: ({ config, messages }) => `on ${config}, messages in ${messages}${mayReadProc() ? "" : BLIND}`,
  }, argv);
}
