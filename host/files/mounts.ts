/** One line of /proc/self/mountinfo. */
export interface Mount {
  /** The mount point. */
  readonly point: string;
  /** Whether the mount is read-only. */
  readonly isReadOnly: boolean;
}

/** Returns the mounts that this program sees, in order. @throws {Error} If /proc may not be read. */
export function readMounts(): Mount[] {
  return Deno.readTextFileSync("/proc/self/mountinfo").split("\n").filter(Boolean).map((line) => {
    const [fields, superFields] = line.split(" - ").map((part) => part.split(" "));
    const point = fields[4].replaceAll(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
    return { point, isReadOnly: [fields[5], superFields[2]].some((options) => options.split(",").includes("ro")) };
  });
}
