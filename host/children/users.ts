import { askTool } from "./system_tools.ts";

/**
 * Returns the ids of all groups of a user, its own group first. id(1) also knows the users of name services (LDAP).
 *
 * @throws {Error} If there is no such user.
 */
export function groupsOf(user: string): number[] {
  return idsIn(askTool("id", "-G", "--", user));
}

/** Returns the id of a user. Null if there is no such user, or if that cannot be found out now. */
export function uidOf(user: string): number | null {
  try {
    return Number(askTool("id", "-u", "--", user));
  } catch {
    return null;
  }
}

/** Returns whether this program already runs as a user, with exactly the groups of that user. */
export function isOwnUser(user: string): boolean {
  if (uidOf(user) !== Deno.uid()) return false;
  const [groups, own] = [groupsOf(user), idsIn(askTool("id", "-G"))];
  return groups[0] === Deno.gid() && new Set(groups).symmetricDifference(new Set(own)).size === 0;
}

function idsIn(text: string): number[] {
  return text.trim().split(" ").map(Number);
}
