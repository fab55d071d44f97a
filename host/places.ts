import type { Directory } from "./types.ts";

/** The directories of a colony. */
export interface Places {
  /** Where configs are. */
  readonly config: Directory;
  /** Where messages are. */
  readonly messages: Directory;
  /** Where the monitor's own files go: it would take configs and messages for those, and write over them. */
  readonly own?: readonly Directory[];
}

/**
 * Which directories stand at the first two paths: each one's device and inode.
 *
 * @throws {Error} Where one of them is missing or may not be used, both are the same, or the monitor's own files go there.
 */
export function identifyPlaces({ config, messages, own = [] }: Places): { config: string; messages: string } {
  const ids = { config: idOf(config), messages: idOf(messages) };
  if (ids.config === ids.messages) throw new Error("Cannot use one directory for both config and messages");
  for (const directory of own) {
    const found = directory.identity();
    const shared = "id" in found ? Object.entries(ids).find(([_, id]) => id === found.id) : undefined;
    if (shared === undefined) continue;
    throw new Error(
      `Cannot use directory ${JSON.stringify(directory.path)} for the monitor's own files and for ${shared[0]}`,
    );
  }
  return ids;
}

function idOf(directory: Directory): string {
  const found = directory.identity();
  if ("id" in found) return found.id;
  throw new Error(`Cannot use directory ${JSON.stringify(directory.path)}: it ${found.fault}`);
}
