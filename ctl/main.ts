import { type JsonObject, MAX_CONFIG_BYTES, parseObject, SpecError, UsageError } from "@ncolony/core";
import { answerCommon, readTextFile, runProgram } from "@ncolony/host";
import { add, remove, restart, restartAll, restartGroup } from "./ctl.ts";
import manifest from "./deno.json" with { type: "json" };
import { HELP, type Parsed, parseOptions } from "./options.ts";

const PROGRAM = { name: "ncolony-ctl", version: manifest.version, help: HELP };

/**
 * Runs ctl as a program.
 *
 * @param argv The command line, without the program's name.
 * @returns The exit code: 0 written, 1 an error, 2 a wrong command line.
 */
export async function main(argv: readonly string[]): Promise<number> {
  return await runProgram(PROGRAM, () => {
    const parsed = parseOptions(argv);
    if (!answerCommon(PROGRAM, parsed.flags)) call(parsed);
    return 0;
  });
}

/**
 * Does what a parsed command line asks for.
 *
 * @throws {UsageError} Where the extras are not a JSON object, or the name or an option is wrong.
 * @throws {Deno.errors.NotFound} Where a directory, or a process to be removed, is not there.
 */
export function call({ request }: Parsed): void {
  if (request === null) return;
  const { places, command } = request;
  switch (command.type) {
    case "add": {
      const { name, cmd, args, extras, ...options } = command;
      const read = extras === undefined ? {} : { extras: parseExtras(extras) };
      return asUsage(() => add(places, name, cmd, args, { ...options, ...read }));
    }
    case "remove":
      return asUsage(() => remove(places, command.name));
    case "restart":
      return asUsage(() => restart(places, command.name));
    case "restart-all":
      return restartAll(places);
    case "restart-group":
      return restartGroup(places, command.group);
  }
}

/** What is wrong with a name or an option was wrong on the command line. */
function asUsage(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (error instanceof SpecError) throw new UsageError(`Cannot add ${JSON.stringify(error.file)}: ${error.reason}`);
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

function parseExtras(text: string): JsonObject {
  const isJson = /^\s*[{[]/.test(text);
  const what = isJson ? "--extras" : `--extras ${JSON.stringify(text)}`;
  const source = isJson ? text : readTextFile(text);
  if (source.length > MAX_CONFIG_BYTES) throw new UsageError(`${what}: must be at most ${MAX_CONFIG_BYTES} bytes`);
  return parseObject(source, (reason) => new UsageError(`${what}: ${reason}`));
}
