import { type JsonObject, MAX_CONFIG_BYTES, type Origin, parseObject, SpecError, UsageError } from "@ncolony/core";
import { readTextFile } from "@ncolony/host/tool";
import { add, remove, restart, restartAll, restartGroup } from "./ctl.ts";
import { patch, start, stop } from "./edit.ts";
import type { Request } from "./options.ts";

/** What messages of this program say about themselves. */
export const ORIGIN: Origin = { from: "ctl" };

/**
 * Runs the command of a parsed command line.
 *
 * @throws {UsageError} If the extras are not a JSON object, or the name or an option is invalid.
 * @throws {Deno.errors.NotFound} If a directory, the file of extras, or the process to remove does not exist.
 */
export function call({ places, command }: Pick<Request, "places" | "command">): void {
  switch (command.type) {
    case "add": {
      const { name, cmd, args, extras, ...options } = command;
      const read = extras === undefined ? {} : { extras: parseExtras(extras) };
      return asUsage(() => add(places, name, cmd, args, { ...options, ...read }));
    }
    case "remove":
      return asUsage(() => command.names.forEach((name) => remove(places, name)));
    case "restart":
      return asUsage(() => command.names.forEach((name) => restart(places, name, ORIGIN)));
    case "start":
      return asUsage(() => command.names.forEach((name) => start(places, name)), "change");
    case "stop":
      return asUsage(() => command.names.forEach((name) => stop(places, name)), "change");
    case "patch": {
      const change = parseObject(command.change, (reason) => new UsageError(`the patch ${reason}`));
      return asUsage(() => patch(places, command.name, change), "change");
    }
    case "restart-all":
      return void restartAll(places, ORIGIN);
    case "restart-group":
      return void restartGroup(places, command.group, ORIGIN);
  }
}

/** Reports an invalid name or option as an invalid command line. */
function asUsage(write: () => unknown, verb = "add"): void {
  try {
    write();
  } catch (error) {
    if (error instanceof SpecError) {
      throw new UsageError(`Cannot ${verb} ${JSON.stringify(error.file)}: ${error.reason}`);
    }
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

function readExtras(path: string, what: string): string {
  try {
    return readTextFile(path, MAX_CONFIG_BYTES);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    error.message = `${what}: ${error.message}`;
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

function parseExtras(text: string): JsonObject {
  const isJson = /^\s*[{[]/.test(text);
  const what = isJson ? "--extras" : `--extras ${JSON.stringify(text)}`;
  const source = isJson ? text : readExtras(text, what);
  return parseObject(source, (reason) => new UsageError(`${what}: ${reason}`));
}
