import { digest } from "@ncolony/core";
import { resolve } from "@std/path/posix/resolve";

/** The longest id, in characters. The name of a cgroup has at most 255 bytes. */
const MAX_LENGTH = 200;

/** Returns what identifies the colony of a config directory on this machine: `srv:colony:conf` for /srv/colony/conf. */
export function colonyId(config: string): string {
  const path = realPath(config);
  const id = path.split("/").filter(Boolean).map(encodeURIComponent).join(":");
  return id.length <= MAX_LENGTH ? id : `${id.slice(-MAX_LENGTH)}:${digest(path).toString(16)}`;
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    // It does not exist, and the monitor will say so.
    return resolve(path);
  }
}
