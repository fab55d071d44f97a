import type { Directory } from "../types.ts";

/** The directories of a colony. */
export interface Places {
  /** Where configs are. */
  readonly config: Directory;
  /** Where messages are. */
  readonly messages: Directory;
  /** Where this program's own files go, by what they are: it would take configs and messages for them. */
  readonly own?: Readonly<Record<string, Directory>>;
}

/**
 * Which directories stand at the first two paths: each one's device and inode.
 *
 * @throws {Error} Where one of them is missing or may not be used, or any two of all are the same.
 */
export function identifyPlaces({ config, messages, own = {} }: Places): { config: string; messages: string } {
  const ids = { config: idOf(config), messages: idOf(messages) };
  const uses = new Map<string, string>();
  const others = Object.entries(own).map(([use, directory]) => [use, findId(directory)] as const);
  for (const [use, id] of [...Object.entries(ids), ...others]) {
    // Of one that cannot be seen, who uses it tells.
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
  throw new Error(`Cannot use directory ${JSON.stringify(directory.path)}: it ${found.fault}`);
}

function findId(directory: Directory): string | null {
  const found = directory.identity();
  return "id" in found ? found.id : null;
}
