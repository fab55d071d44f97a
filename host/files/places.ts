import type { Directory } from "../types.ts";

/** The directories of a colony. */
export interface Places {
  /** The directory of configs. */
  readonly config: Directory;
  /** The directory of messages. */
  readonly messages: Directory;
  /**
   * The directories for this program's own files, by their use. The program must not take configs or messages for them.
   */
  readonly own?: Readonly<Record<string, Directory>>;
}

/**
 * Returns which directories are at the first two paths: the device and inode of each.
 *
 * @throws {Error} If one of the two is missing or may not be used, or if any two of all directories are the same.
 */
export function identifyPlaces({ config, messages, own = {} }: Places): { config: string; messages: string } {
  const ids = { config: idOf(config), messages: idOf(messages) };
  const uses = new Map<string, string>();
  const others = Object.entries(own).map(([use, directory]) => [use, findId(directory)] as const);
  for (const [use, id] of [...Object.entries(ids), ...others]) {
    // If this directory cannot be seen, the code that uses it reports that.
    if (id === null) continue;
    const other = uses.get(id);
    if (other !== undefined) throw new Error(`Cannot use one directory for both ${other} and ${use}`);
    uses.set(id, use);
  }
  return ids;
}

function idOf(directory: Directory): string {
  const found = directory.identity();
  if ("id" in found) return found.id;
  throw new Error(`Cannot use directory ${JSON.stringify(directory.path)}: ${found.fault}`);
}

function findId(directory: Directory): string | null {
  const found = directory.identity();
  return "id" in found ? found.id : null;
}
