import type { Cgroup } from "./cgroup.ts";

/** The prefix of the directory that says whose cgroup it is in. */
const PREFIX = "of:";

/** The longest part of an encoded name. A file name has at most 255 bytes. */
const PART = /.{1,250}/g;

/**
 * Writes the name of its process into a cgroup, as an empty cgroup below it: a cgroup has no file for notes. If that
 * fails, the next monitor must know its processes by something else.
 */
export function writeName(cgroup: Cgroup, name: string): void {
  try {
    let at = cgroup;
    for (const part of encodeURIComponent(name).match(PART) ?? []) {
      at = at.child(PREFIX + part);
      at.create();
    }
  } catch {
    // The kernel limits the number of cgroups (cgroup.max.descendants).
    eraseName(cgroup);
  }
}

/** Removes the name from a cgroup. */
export function eraseName(cgroup: Cgroup): void {
  for (const part of partsIn(cgroup)) cgroup.child(part).remove();
}

/** Returns the name in a cgroup. Null if there is none. */
export function readName(cgroup: Cgroup): string | null {
  let encoded = "";
  for (let [part] = partsIn(cgroup); part !== undefined; [part] = partsIn(cgroup)) {
    encoded += part.slice(PREFIX.length);
    cgroup = cgroup.child(part);
  }
  try {
    return encoded === "" ? null : decodeURIComponent(encoded);
  } catch {
    // Another program made it.
    return null;
  }
}

function partsIn(cgroup: Cgroup): string[] {
  return cgroup.names().filter((name) => name.startsWith(PREFIX));
}
