import { UsageError } from "@ncolony/core";
import { join } from "@std/path/posix/join";
import { isGranted } from "../permission.ts";
import { type Option, type ParsedArgs, textValue } from "./options.ts";

/** An option that names a directory of a colony. */
export type PlaceOption = "config" | "messages" | "pid" | "status" | "logs";

const DIRECTORIES: Readonly<Record<PlaceOption, string>> = {
  config: "conf",
  messages: "messages",
  pid: "pids",
  status: "status",
  logs: "logs",
};

/** The variable that stands for `--colony`. */
const VARIABLE = "NCOLONY_COLONY";

/** The option that stands for all directories of a colony. */
export const COLONY_OPTION: Option = { name: "colony", value: "DIR", help: "DIR/conf, DIR/messages and so on" };

/** Returns the directory of a colony. Undefined if neither `--colony` nor `NCOLONY_COLONY` names one. */
export function colonyValue(words: ParsedArgs): string | undefined {
  const given = textValue(words, COLONY_OPTION.name, "DIR");
  if (given !== undefined || !isGranted({ name: "env", variable: VARIABLE })) return given;
  return Deno.env.get(VARIABLE) || undefined;
}

/** Returns the directory that an option names, or else that of the colony. Undefined if there is none. */
export function placeValue(words: ParsedArgs, name: PlaceOption): string | undefined {
  const given = textValue(words, name, "DIR");
  if (given !== undefined) return given;
  const colony = colonyValue(words);
  return colony === undefined ? undefined : join(colony, DIRECTORIES[name]);
}

/** Does the same for a directory that is required. @throws {UsageError} If there is none. */
export function requiredPlace(words: ParsedArgs, name: PlaceOption): string {
  const place = placeValue(words, name);
  if (place === undefined) throw new UsageError(`--${name} is missing, or --colony`);
  return place;
}
