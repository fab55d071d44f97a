import { lstat } from "../../host/files/lstat.ts";
import { join } from "@std/path";
import { run } from "./run.ts";

/** Where Debian's packages come from, and which release. */
const MIRROR = "http://deb.debian.org/debian";
const RELEASE = "bookworm";

/**
 * What the tests need. libpam-systemd makes a login of each `su`. The cloud kernel has few drivers, so it boots fast.
 */
const PACKAGES = [
  "dbus",
  "initramfs-tools",
  "libpam-systemd",
  "linux-image-cloud-amd64",
  "procps",
  "systemd",
  "systemd-sysv",
];

/** Makes the root directory of a Debian, unless it was made before. Returns its path. */
export async function makeRoot(dir: string, fresh: boolean): Promise<string> {
  const root = join(dir, "root");
  // It gets its name when it is complete.
  const unfinished = join(dir, "root.new");
  if (!fresh && lstat(root) !== null) return root;
  for (const path of [root, unfinished]) if (lstat(path) !== null) Deno.removeSync(path, { recursive: true });
  const include = `--include=${PACKAGES.join(",")}`;
  await run("debootstrap", ["--variant=minbase", include, RELEASE, unfinished, MIRROR]);
  Deno.writeTextFileSync(join(unfinished, "etc/hostname"), "ncolony\n");
  Deno.writeTextFileSync(join(unfinished, "etc/fstab"), "/dev/vda / ext4 rw 0 1\n");
  Deno.renameSync(unfinished, root);
  return root;
}
