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
  const path = pathOfOwn();
  const { uid, mode } = Deno.statSync(path);
  // Its owner could move processes in and out, and pretend to be an earlier monitor.
  if (uid !== 0 && uid !== Deno.uid() || (mode ?? 0) & 0o022) {
    throw new Error(`users other than root and the current user may change ${path} (cgroup v2)`);
  }
  return new Cgroup(path);
}

function pathOfOwn(): string {
  try {
    const own = cgroupOf("self");
    const mount = readMounts().findLast(({ type }) => type === "cgroup2");
    if (own === undefined || mount === undefined) throw new Error("cgroup v2 is not mounted");
    if (mount.isReadOnly) throw new Error("cgroup v2 is mounted read-only, as is usual in containers");
    const root = mount.root === "/" ? "" : mount.root;
    if (own !== root && !own.startsWith(`${root}/`)) throw new Error("the cgroup of this program is not in the mount");
    return join(mount.point, own.slice(root.length));
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw new Error(NEEDED);
    if (error instanceof Deno.errors.NotFound) throw new Error(`/proc cannot be read: ${faultOf(error)}`);
    throw error;
  }
}

/** Returns whether a process is in a cgroup next to that of this program. False if there is no such process. */
export function isBeside(pid: number): boolean {
  try {
    return dirname(cgroupOf(pid) ?? "/") === dirname(cgroupOf("self") ?? "");
  } catch {
    // It exited.
    return false;
  }
}

function cgroupOf(pid: number | "self"): string | undefined {
  return /^0::(.*)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/cgroup`))?.[1];
}
