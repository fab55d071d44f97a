import type { Directory } from "./types.ts";

/** The two directories of a colony. */
export interface Places {
  /** Where configs are. */
  readonly config: Directory;
  /** Where messages are. */
  readonly messages: Directory;
}

/**
 * Which directories stand at the two paths: each one's device and inode.
 *
 * @throws {Error} Where one is missing or may not be used, or both are the same.
 */
export function identifyPlaces({ config, messages }: Places): { config: string; messages: string } {
  const ids = { config: idOf(config), messages: idOf(messages) };
  if (ids.config === ids.messages) throw new Error("Cannot use one directory for both config and messages");
  return ids;
}

function idOf(directory: Directory): string {
  const found = directory.identity();
  if ("id" in found) return found.id;
  throw new Error(`Cannot use directory ${JSON.stringify(directory.path)}: it ${found.fault}`);
}
