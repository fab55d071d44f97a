/**
 * A program that has the monitor inside, which tests run with all permissions. It prints one line of JSON.
 *
 * @module
 */

import { denoHost } from "@ncolony/host";
import { startMonitor } from "@ncolony/monitor";
import { sample } from "../core/samples.ts";

/** What the program prints when it was called with `usage`. */
export interface UsageReport {
  /** What the child used when it had said what its own children had used. */
  readonly cpuSeconds: number;
  /** How many processes it had. */
  readonly processes: number;
  /** What its shell said of the processor time of its children. */
  readonly times: string;
}

/** What the program prints when it was called with `refused`. */
export interface RefusedReport {
  /** The names of the errors, one for each start with an invalid option. */
  readonly errors: readonly string[];
  /** Whether the program was still in its first cgroup after them. */
  readonly stayed: boolean;
  /** The kill scope of a host that was opened then. */
  readonly killScope: string;
}

const config = await Deno.makeTempDir();
const messages = await Deno.makeTempDir();
try {
  const report = Deno.args[0] === "usage" ? await usageReport() : await refusedReport();
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(report)));
} finally {
  await Deno.remove(config, { recursive: true });
  await Deno.remove(messages, { recursive: true });
}

/** Starts a child whose grandchild computes, and reports what both used. */
async function usageReport(): Promise<UsageReport> {
  const host = denoHost({ config });
  await host.open();
  await host.ready(sample("web"));
  const computing = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
  const spec = sample("web", { args: ["sh", "-c", `sh -c '${computing}'; times; sleep 1000 & exec cat`] });
  const said = Promise.withResolvers<string>();
  let text = "";
  const stdout = (bytes: Uint8Array) => {
    text += new TextDecoder().decode(bytes);
    if (text.split("\n").length === 3) said.resolve(text);
  };
  const ended = Promise.withResolvers<void>();
  const child = host.spawn(spec, { stdout, stderr: () => {}, end: () => {} }, {
    leaderExited: () => {},
    groupExited: () => ended.resolve(),
    warn: (message) => ended.reject(new Error(message)),
  });
  const times = (await said.promise).split("\n")[1]!;
  const { cpuSeconds, processes } = child!.usage()!;
  child!.signal("SIGKILL");
  await ended.promise;
  await host.close();
  return { cpuSeconds, processes, times };
}

/** Starts a monitor with invalid options, and then a valid host. */
async function refusedReport(): Promise<RefusedReport> {
  const own = () => Deno.readTextFileSync("/proc/self/cgroup");
  const before = own();
  const errors = [];
  for (const invalid of [{ threshold: -1 }, { messages: config }]) {
    try {
      await startMonitor({ config, messages, output: null, ...invalid });
      errors.push("none");
    } catch (error) {
      errors.push((error as Error).name);
    }
  }
  const stayed = own() === before;
  const host = denoHost({ config });
  await host.open();
  const { killScope } = host;
  await host.close();
  return { errors, stayed, killScope };
}
