import { dirname, join } from "@std/path";
import { run } from "./run.ts";

/** The size of the disk. It is sparse: only what is used takes space. */
const SIZE = "3G";

/** The unit that the machine starts. */
export const TEST_UNIT = "vm-test.service";

/** It runs the tests, writes their output to the second serial port, and turns the machine off. */
const TEST_UNIT_TEXT = `[Unit]
Description=Tests of NColony
Wants=dbus.service systemd-logind.service
After=dbus.service systemd-logind.service systemd-user-sessions.service network.target
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
ExecStart=/bin/bash /usr/local/lib/ncolony-test/run
ExecStopPost=/bin/sh -c 'echo "vm_test: $SERVICE_RESULT"'
Environment=NO_COLOR=1 HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
WorkingDirectory=/root
StandardOutput=tty
StandardError=inherit
TTYPath=/dev/ttyS1
TimeoutStartSec=infinity
`;

/** What goes onto a disk. */
export interface DiskParts {
  /** The directory of its root, which is changed. */
  readonly root: string;
  /** The directory of the repository. */
  readonly repository: string;
  /** The tests to run, as `deno test --filter` understands it. All if it is empty. */
  readonly only: string;
}

/** A disk, and what boots it. */
export interface Disk {
  /** The image. */
  readonly image: string;
  /** The kernel. */
  readonly kernel: string;
  /** The first root, which has the driver of the disk. */
  readonly initrd: string;
}

/** Makes a disk that has Deno, the bundle, the unit and the tests of this checkout. */
export async function makeDisk({ root, repository, only }: DiskParts): Promise<Disk> {
  const local = join(root, "usr/local");
  Deno.removeSync(local, { recursive: true });
  for (const name of ["bin", "lib/ncolony-test"]) Deno.mkdirSync(join(local, name), { recursive: true });
  Deno.copyFileSync(Deno.execPath(), join(local, "bin/deno"));
  Deno.chmodSync(join(local, "bin/deno"), 0o755);
  const permissions = ["--allow-read", "--allow-write", "--allow-run"];
  const bundle = ["run", "--frozen", ...permissions, join(repository, "tools/bundle.ts")];
  await run(Deno.execPath(), [...bundle, "--output", join(local, "lib/ncolony")], repository);
  const tests = join(local, "lib/ncolony-test");
  for (const name of ["tests", "usage"]) {
    const module = join(repository, "tools/vm/guest", `${name}.ts`);
    const args = ["bundle", "--frozen", "--quiet", "--platform", "deno", "--output", join(tests, `${name}.js`), module];
    await run(Deno.execPath(), args, repository);
  }
  Deno.copyFileSync(join(repository, "deploy/ncolony.service"), join(tests, "ncolony.service"));
  Deno.writeTextFileSync(join(tests, "run"), script(only));
  Deno.writeTextFileSync(join(root, "etc/systemd/system", TEST_UNIT), TEST_UNIT_TEXT);
  const image = join(dirname(root), "disk.img");
  await run("truncate", ["--size=0", image]);
  await run("truncate", [`--size=${SIZE}`, image]);
  await run("mke2fs", ["-q", "-t", "ext4", "-O", "^has_journal", "-d", root, image]);
  return { image, kernel: onlyFile(root, "vmlinuz-"), initrd: onlyFile(root, "initrd.img-") };
}

/** Returns what the machine runs: the tests, after the versions of what they run on. */
function script(only: string): string {
  const filter = only === "" ? "" : ` --filter '${only.replaceAll("'", `'\\''`)}'`;
  return `set -e -o pipefail
echo "Linux $(uname -r), $(systemctl --version | sed -n 's/ (.*//p' | head -n 1), $(deno --version | head -n 1)"
install -d /etc/ncolony
# As the unit says.
systemctl enable --quiet /usr/local/lib/ncolony-test/ncolony.service
deno test --no-config --no-check --no-prompt --allow-all${filter} /usr/local/lib/ncolony-test/tests.js 2>&1 | cat
`;
}

function onlyFile(root: string, prefix: string): string {
  const boot = join(root, "boot");
  const names = [...Deno.readDirSync(boot)].map(({ name }) => name).filter((name) => name.startsWith(prefix));
  if (names.length !== 1) throw new Error(`Cannot boot: there is no, or more than one ${prefix}* in ${boot}`);
  return join(boot, names[0]!);
}
