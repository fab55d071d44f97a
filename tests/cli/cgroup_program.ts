/**
 * A program that has the monitor inside, which tests run with all permissions. It prints one line of JSON.
 *
 * @module
 */

import { denoHost } from "@ncolony/host";
import { startMonitor } from "@ncolony/monitor";
import { basename } from "@std/path";
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

/** What the program prints when it was called with `besides`. */
export interface BesidesReport {
  /** How each of the program's own children ended while processes of the colony were started and removed. */
  readonly ends: readonly (string | null)[];
  /** The problems of the colony. */
  readonly problems: readonly string[];
  /** The colony's cgroups that were left after all children had ended and the monitor had stopped. */
  readonly cgroups: string;
}

const REPORTS: Readonly<Record<string, () => Promise<object>>> = {
  usage: usageReport,
  refused: refusedReport,
  besides: besidesReport,
};

const config = await Deno.makeTempDir();
const messages = await Deno.makeTempDir();
try {
  const report = await REPORTS[Deno.args[0]!]!();
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(report)));
} finally {
  await Deno.remove(config, { recursive: true });
  await Deno.remove(messages, { recursive: true });
}

/** Starts a child whose grandchild computes, and reports what both used. */
async function usageReport(): Promise<UsageReport> {
  const host = denoHost({ config });
  await host.open();
  await host.ready();
  const computing = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
  const spec = sample("web", { args: ["sh", "-c", `sh -c '${computing}'; sleep 1000 & times; exec cat`] });
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

/** Starts children of the program's own, each while the monitor waits for its next process. */
async function besidesReport(): Promise<BesidesReport> {
  const colony = await startMonitor({ config, messages, output: null, killScope: "cgroup" });
  const own: Deno.ChildProcess[] = [];
  const problems: string[] = [];
  const events = colony.events.getReader();
  const until = async (type: string) => {
    for (;;) {
      const { value } = await events.read();
      if (value?.type === "problem") problems.push(value.message);
      if (value === undefined || value.type === type) return;
    }
  };
  for (let turn = 0; turn < 3; turn++) {
    // Long after the monitor has moved on.
    await new Promise((resolve) => setTimeout(resolve, 300));
    own.push(new Deno.Command("sleep", { args: ["1000"] }).spawn());
    await Deno.writeTextFile(`${config}/web`, '{"args": ["sleep", "1000"]}');
    await until("started");
    await Deno.remove(`${config}/web`);
    await until("stopped");
  }
  const ends = await Promise.all(own.map(async (child) => {
    const alive = new Promise<null>((resolve) => setTimeout(resolve, 300, null));
    const end = await Promise.race([child.status, alive]);
    if (end === null) child.kill("SIGKILL");
    await child.status;
    return end?.signal ?? null;
  }));
  events.releaseLock();
  await colony.stop();
  const find = { args: ["/sys/fs/cgroup", "-type", "d", "-path", `*${basename(config)}*`] };
  const { stdout } = await new Deno.Command("find", find).output();
  return { ends, problems, cgroups: new TextDecoder().decode(stdout) };
}
