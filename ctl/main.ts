import { answerCommon, outliveFileSizeLimit, type ParsedArgs, runProgram, turnOnce } from "@ncolony/host/tool";
import { COMMANDS, helpOf, PLACES } from "./commands.ts";
import { commandOf, parseOptions } from "./options.ts";
import { PROGRAM } from "./program.ts";

/**
 * Runs ctl as a program.
 *
 * @param argv The command line, without the program's name.
 * @returns The exit code: 0 on success, 1 for an error, 2 for an invalid command line, 3 if a process is not well, 4 if
 * there is no such process, no monitor or no status.
 */
export async function main(argv: readonly string[]): Promise<number> {
  return await runProgram(PROGRAM, async () => {
    const args = parseOptions(argv);
    const isAnswered = answerCommon({ ...PROGRAM, help: helpOf(args.words[0]) }, args.flags);
    // A write beyond the file size limit then fails, and the partial file is removed.
    if (!isAnswered) outliveFileSizeLimit();
    const code = isAnswered ? 0 : await call(args);
    await turnOnce();
    return code;
  });
}

/**
 * Loads the command of a parsed command line, and runs it.
 *
 * @returns The exit code: 0 on success, 3 if a process is not well, 4 if there is no monitor.
 * @throws {UsageError} If an operand or an option is missing or invalid.
 * @throws {Error} If a directory, a file, a process, a group or the status does not exist, or a file cannot be written.
 */
export async function call(args: ParsedArgs): Promise<number> {
  const { run } = await commandOf(args).load();
  return await run(args, { commands: COMMANDS, places: PLACES });
}
