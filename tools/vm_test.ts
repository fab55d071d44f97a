/**
 * Tests the systemd unit in a virtual machine: a Debian with systemd, its kernel, Deno, the bundle and the unit of
 * `deploy/`. docs/vm.md says what it needs, and what it shows.
 */

import { parseArgs } from "@std/cli/parse-args";
import { dirname, fromFileUrl, join, resolve } from "@std/path";
import { makeDisk } from "./vm/disk.ts";
import { boot } from "./vm/machine.ts";
import { makeRoot } from "./vm/root.ts";
import { missingPrograms, print } from "./vm/run.ts";

/** How long the machine may run. */
const TIMEOUT_MINUTES = 40;

const repository = dirname(dirname(fromFileUrl(import.meta.url)));
const options = parseArgs(Deno.args, { string: ["dir", "only", "timeout"], boolean: ["fresh"] }) as {
  dir?: string;
  fresh?: boolean;
  only?: string;
  timeout?: string;
};
const dir = resolve(options.dir ?? join(repository, "dist", "vm"));
const timeoutMs = Number(options.timeout ?? TIMEOUT_MINUTES) * 60_000;

const reason = whyNot();
if (reason !== null) {
  print(`vm_test: ${reason}`, Deno.stderr);
  Deno.exit(1);
}
Deno.mkdirSync(dir, { recursive: true });
const root = await makeRoot(dir, options.fresh ?? false);
const disk = await makeDisk({ root, repository, only: options.only ?? "" });
const { passed, reason: why } = await boot({ ...disk, log: join(dir, "console.log") }, timeoutMs);
if (!passed) print(`vm_test: ${why}`, Deno.stderr);
Deno.exit(passed ? 0 : 1);

/** Returns why the tests cannot run here. Null if they can. */
function whyNot(): string | null {
  if (!(timeoutMs > 0)) return `invalid --timeout "${options.timeout}": it is in minutes`;
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") return "needs Linux on x86_64";
  if (Deno.uid() !== 0) return "needs root, to make the files of the machine";
  const missing = missingPrograms("debootstrap", "mke2fs", "qemu-system-x86_64", "setpriv");
  return missing.length === 0 ? null : `needs ${missing.join(", ")}`;
}
