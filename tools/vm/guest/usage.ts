/** Prints what a child uses, as the library says, and what the files of its cgroup say. */

import { parseSpec } from "@ncolony/core";
import { denoHost } from "@ncolony/host";
import { print } from "../run.ts";
import { cgroupOf, pidsIn, read, valueIn } from "./system.ts";

/** Takes 40 MiB and half a second of processor time, and is three processes. */
const PROGRAM = 'my $all = "x"; $all x= 41943040; 1 while (times)[0] < 0.5; ' +
  "for (1..2) { if (!fork) { sleep 1000; exit } } $| = 1; print qq(ready\\n); sleep 1000";

const host = denoHost({ config: "/etc/ncolony" });
await host.open();
const config = {
  args: ["perl", "-e", PROGRAM],
  env: { PATH: "/usr/bin" },
  "ncolony.monitor": { kill_scope: "cgroup" },
};
const [ready, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
const spec = parseSpec("web", JSON.stringify(config));
await host.ready();
// The child is born where this program waits.
const before = used(cgroupOf(Deno.pid));
const child = host.spawn(spec, { stdout: () => ready.resolve(), stderr: () => {}, end: () => {} }, {
  leaderExited: () => ready.reject(new Error("it has ended")),
  groupExited: () => gone.resolve(),
  warn: (message) => print(message, Deno.stderr),
})!;
await ready.promise;
const cgroup = cgroupOf(child.pid);
const usage = child.usage();
const files = { ...used(cgroup), processes: pidsIn(cgroup).length };
child.signal("SIGKILL");
await gone.promise;
await host.close();
print(JSON.stringify({ usage, before, files }));

function used(cgroup: string): { readonly memoryBytes: number; readonly cpuSeconds: number } {
  return {
    memoryBytes: Number(read(cgroup, "memory.current")),
    cpuSeconds: valueIn(cgroup, "cpu.stat", "usage_usec") / 1e6,
  };
}
