import { parseSpec, SpecError } from "@ncolony/core";
import { configDirectory } from "@ncolony/host/read-tool";
import { ExitError, type ParsedArgs, requiredPlace } from "@ncolony/host/tool";
import { NOTHING } from "./unknown.ts";

/** Returns the names of the processes whose configs are in a group. @throws {ExitError} With 4 if there are none. */
export function membersOf(words: ParsedArgs, group: string): ReadonlySet<string> {
  const directory = configDirectory(requiredPlace(words, "config"), { allowInsecure: true });
  const names = directory.names();
  if ("fault" in names) throw new ExitError(`cannot read ${directory.path}: ${names.fault}`, 1);
  const members = names.filter((name) => groupsOf(name).includes(group));
  if (members.length === 0) throw new ExitError(`There is no process in the group ${JSON.stringify(group)}`, NOTHING);
  return new Set(members);

  function groupsOf(name: string): readonly string[] {
    const entry = directory.read(name)?.entry;
    if (entry === undefined || "fault" in entry) return [];
    try {
      return parseSpec(name, entry.source).groups;
    } catch (error) {
      if (error instanceof SpecError) return [];
      throw error;
    }
  }
}
