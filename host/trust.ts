import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";
import { readMounts } from "./proc.ts";

/** The part of a file's information that says who may change it. */
export interface Ownership {
  /** The owner's user id. */
  readonly uid: number | null;
  /** The type and permission bits. */
  readonly mode: number | null;
}

/** Whether only root and this program's own user may write a file or a directory. */
export function isOnlyOurs({ uid, mode }: Ownership): boolean {
  return !isOthers(uid) && ((mode ?? 0) & 0o022) === 0;
}

/**
 * Says why somebody other than root and this program's own user could change a file or a directory, or null where nobody
 * could. What lies on a read-only mount nobody can change: a ConfigMap volume of Kubernetes is root's, read-only, and has
 * mode 0777.
 *
 * @param path Where it is, for the mount.
 */
export function distrust(path: string, { uid, mode }: Ownership): string | null {
  if (isOnlyOurs({ uid, mode })) return null;
  const isSafe = isReadOnly(path);
  if (isSafe === true) return null;
  const unknown = isSafe === null
    ? ", and only with --allow-write for it can be seen whether its mount is read-only"
    : "";
  if (isOthers(uid)) return `belongs to uid ${uid}, which is neither root nor the monitor's (${Deno.uid()})${unknown}`;
  return `may be written by others (mode ${((mode ?? 0) & 0o7777).toString(8).padStart(4, "0")})${unknown}`;
}

/** Whether an owner is neither root nor this program's own user. */
export function isOthers(uid: number | null): boolean {
  return uid !== 0 && uid !== Deno.uid();
}

/** Whether a path is on a read-only mount; null where this program may not find out. */
function isReadOnly(path: string): boolean | null {
  const real = Deno.realPathSync(path);
  try {
    const mounts = readMounts().filter(({ point }) => point === "/" || `${real}/`.startsWith(`${point}/`));
    // Of two mounts on one point the later one covers the earlier.
    const mount = mounts.reduce((a, b) => b.point.length >= a.point.length ? b : a);
    return mount.isReadOnly;
  } catch {
    // /proc may not be read, for which Deno wants --allow-all: try to write.
    return refusesWrites(Deno.statSync(real).isDirectory ? real : dirname(real));
  }
}

function refusesWrites(path: string): boolean | null {
  const probe = join(path, `.${crypto.randomUUID()}.new`);
  try {
    Deno.openSync(probe, { write: true, createNew: true }).close();
    Deno.removeSync(probe);
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return null;
    return error instanceof Error && "code" in error && error.code === "EROFS";
  }
}
