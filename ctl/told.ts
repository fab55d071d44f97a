import { StatusReader } from "@ncolony/host/read-tool";
import { ExitError, type ParsedArgs, requiredPlace } from "@ncolony/host/tool";
import { NOTHING } from "./unknown.ts";

/**
 * Opens the status directory of a command line, and returns the names of the processes in it.
 *
 * @throws {UsageError} If none is named.
 * @throws {ExitError} With 4 if it does not exist.
 */
export function openStatus(words: ParsedArgs): { readonly reader: StatusReader; readonly known: readonly string[] } {
  const reader = new StatusReader(requiredPlace(words, "status"));
  const known = reader.names();
  if (known === null) {
    const hint = "is a monitor running with --colony or --status?";
    throw new ExitError(`there is no status in ${JSON.stringify(reader.path)}: ${hint}`, NOTHING);
  }
  return { reader, known };
}
