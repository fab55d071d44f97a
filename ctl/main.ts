import { answerCommon, outliveFileSizeLimit, type ParsedArgs, runProgram, turnOnce } from "@ncolony/host/tool";
import { call } from "./call.ts";
import manifest from "./deno.json" with { type: "json" };
import { requireEnabled, requireExisting } from "./existing.ts";
import { HELP } from "./help.ts";
import { parseOptions, type Report, type Request } from "./options.ts";

const PROGRAM = { name: "ncolony-ctl", version: manifest.version, help: HELP };

/** The commands that show something, each loaded when it is asked for. */
const REPORTS: Readonly<Record<Report["type"], () => Promise<{ run(words: ParsedArgs): number | Promise<number> }>>> = {
  status: () => import("./commands/status.ts"),
  why: () => import("./commands/why.ts"),
};

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
    if (!answerCommon({ ...PROGRAM, help: parsed.help ?? HELP }, parsed.flags)) {
      // A write beyond the file size limit then fails, and the partial file is removed.
      outliveFileSizeLimit();
      const { request } = parsed;
      if (request !== null) {
        await requirePossible(request);
        if (request.wait !== null) {
          const { carryOut } = await import("./order.ts");
          return await carryOut(PROGRAM, request, request.wait);
        }
        call(request);
      }
    }
    await turnOnce();
    return 0;
  });
}

/** Checks that there is what a command names, unless it is forced. @throws {ExitError} With 4 if there is not. */
async function requirePossible({ places, command, isForced }: Request): Promise<void> {
  if (isForced) return;
  if ("names" in command) requireExisting(places.config, command.names);
  if (command.type === "restart") requireEnabled(places.config, command.names);
  if (command.type === "patch") requireExisting(places.config, [command.name]);
  if (command.type === "restart-group") {
    const { requireMembers } = await import("./members.ts");
    requireMembers(places.config, command.group);
  }
}
