import { answerCommon, outliveFileSizeLimit, runProgram, turnOnce } from "@ncolony/host/tool";
import { call } from "./call.ts";
import manifest from "./deno.json" with { type: "json" };
import { HELP, parseOptions } from "./options.ts";

const PROGRAM = { name: "ncolony-ctl", version: manifest.version, help: HELP };

/** The commands that show something, each loaded when it is asked for. */
const REPORTS = {
  status: () => import("./commands/status.ts"),
  why: () => import("./commands/why.ts"),
} as const;

/**
 * Runs ctl as a program.
 *
 * @param argv The command line, without the program's name.
 * @returns The exit code: 0 on success, 1 for an error, 2 for an invalid command line, 3 if a process is not well, 4 if
 * there is no such process, no monitor or no status.
 */
export async function main(argv: readonly string[]): Promise<number> {
  return await runProgram(PROGRAM, async () => {
    const parsed = parseOptions(argv);
    if (parsed.report !== undefined) {
      const { run } = await REPORTS[parsed.report.type]();
      return await run(parsed.report.words);
    }
    if (!answerCommon(PROGRAM, parsed.flags)) {
      // A write beyond the file size limit then fails, and the partial file is removed.
      outliveFileSizeLimit();
      call(parsed);
    }
    await turnOnce();
    return 0;
  });
}
