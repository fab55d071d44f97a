import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";
import { faultOf } from "../deno_errors.ts";
import { readMounts } from "../files/mounts.ts";
import { isGranted } from "../permission.ts";
import { Cgroup } from "./cgroup.ts";

const NEEDED = "cgroups need --allow-all";

/** Returns the cgroup (v2) that this program is in. @throws {Error} If there is none, or it cannot be used. */
export function ownCgroup(): Cgroup {
  // Without them, Deno may prompt for them at the terminal.
  if (!["read", "write"].every((name) => isGranted({ name } as Deno.PermissionDescriptor))) throw new Error(NEEDED);
  const own = findOwn();
  const { uid, mode } = Deno.statSync(own.path);
  // Its owner could move processes in and out, and pretend to be an earlier monitor.
  if (uid !== 0 && uid !== Deno.uid() || (mode ?? 0) & 0o022) {
    throw new Error(`users other than root and the current user may change ${own.path} (cgroup v2)`);
  }
  return own;
}

/** Returns the cgroup (v2) that a process is in. @throws {Error} If there is no such process, or its cgroup cannot be seen. */
export function cgroupOf(pid: string): Cgroup {
  const [, path] = /^0::(.*)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/cgroup`)) ?? [];
  const mount = readMounts().findLast(({ type }) => type === "cgroup2");
  if (path === undefined || mount === undefined) throw new Error("cgroup v2 is not mounted");
  if (mount.isReadOnly) throw new Error("cgroup v2 is mounted read-only, as is usual in containers");
  const root = mount.root === "/" ? "" : mount.root;
  if (path !== root && !path.startsWith(`${root}/`)) throw new Error("the cgroup of this program is not in the mount");
  return new Cgroup(join(mount.point, path.slice(root.length)));
}

function findOwn(): Cgroup {
  try {
    return cgroupOf("self");
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw new Error(NEEDED);
    if (error instanceof Deno.errors.NotFound) throw new Error(`/proc cannot be read: ${faultOf(error)}`);
    throw error;
  }
}

/** Returns whether a process is in a cgroup next to that of this program. False if there is no such process. */
export function isBeside(pid: number): boolean {
  try {
    return dirname(cgroupOf(`${pid}`).path) === dirname(cgroupOf("self").path);
  } catch {
    // It exited.
    return false;
  }
}
