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

/**
 * Sees that a directory of the monitor's own files is none of these: it would take configs for its files, and write over
 * them.
 *
 * @throws {Error} Where it is one of them.
 */
export function refusePlaces(directory: Directory, { config, messages }: Places): void {
  const own = directory.identity();
  for (const [name, place] of [["config", config], ["messages", messages]] as const) {
    const id = place.identity();
    if ("id" in own && "id" in id && own.id === id.id) {
      throw new Error(
        `Cannot use directory ${JSON.stringify(directory.path)} for the monitor's own files and for ${name}`,
      );
    }
  }
}

function idOf(directory: Directory): string {
  const found = directory.identity();
  if ("id" in found) return found.id;
  throw new Error(`Cannot use directory ${JSON.stringify(directory.path)}: it ${found.fault}`);
}
