/** One line of /proc/self/mountinfo. */
export interface Mount {
  /** The mount point. */
  readonly point: string;
  /** Which directory of the file system is mounted there. */
  readonly root: string;
  /** The type of the file system, such as `ext4` or `cgroup2`. */
  readonly type: string;
  /** Whether the mount is read-only. */
  readonly isReadOnly: boolean;
}

/** Returns the mounts that this program sees, in order. @throws {Error} If /proc may not be read. */
export function readMounts(): Mount[] {
  return Deno.readTextFileSync("/proc/self/mountinfo").split("\n").filter(Boolean).map((line) => {
    const [fields, superFields] = line.split(" - ").map((part) => part.split(" "));
    return {
      point: unescape(fields[4]),
      root: unescape(fields[3]),
      type: superFields[0],
      isReadOnly: [fields[5], superFields[2]].some((options) => options.split(",").includes("ro")),
    };
  });
}

function unescape(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}
