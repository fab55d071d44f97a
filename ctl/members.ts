import { parseSpec, quotedName, SpecError } from "@ncolony/core";
import { configDirectory } from "@ncolony/host/read-tool";
import { ExitError } from "@ncolony/host/tool";
import { NOTHING } from "./unknown.ts";

/**
 * Returns the names of the processes whose configs are in a group.
 *
 * @throws {ExitError} With 4 if there are none, unless one of the configs may not be read.
 */
export function membersOf(config: string, group: string): ReadonlySet<string> {
  const directory = configDirectory(config, { allowInsecure: true });
  const names = directory.names();
  if ("fault" in names) throw new ExitError(`cannot read ${directory.path}: ${names.fault}`, 1);
  const entries = names.map((name) => [name, directory.read(name)?.entry] as const);
  const members = entries.flatMap(([name, entry]) => {
    return entry !== undefined && "source" in entry && groupsOf(name, entry.source).includes(group) ? [name] : [];
  });
  const isSure = entries.every(([, entry]) => entry === undefined || "source" in entry);
  if (members.length === 0 && isSure) {
    throw new ExitError(`There is no process in the group ${quotedName(group)}`, NOTHING);
  }
  return new Set(members);
}

/** Returns the groups that the processes of a directory are in. */
export function groupsIn(config: string): string[] {
  const directory = configDirectory(config, { allowInsecure: true });
  const names = directory.names();
  const entries = "fault" in names ? [] : names.map((name) => [name, directory.read(name)?.entry] as const);
  const groups = entries.flatMap(([name, entry]) => {
    return entry !== undefined && "source" in entry ? groupsOf(name, entry.source) : [];
  });
  return [...new Set(groups)];
}

function groupsOf(name: string, source: string): readonly string[] {
  try {
    return parseSpec(name, source).groups;
  } catch (error) {
    if (error instanceof SpecError) return [];
    throw error;
  }
}
