/** A program that has the monitor inside uses cgroups as the monitor does. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { BesidesReport, RefusedReport, UsageReport } from "./cgroup_program.ts";
import { ALL, HAS_CGROUPS } from "./escapes.ts";
import { IS_ROOT, run, toolCommand } from "./tools.ts";

const ignore = !HAS_CGROUPS || !IS_ROOT;

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `${name}${ignore ? " (skipped: needs cgroups, or root)" : ""}`, ignore, fn });
}

async function report<T>(what: string): Promise<T> {
  const { code, stdout, stderr } = await run([...toolCommand("tests/cli/cgroup_program.ts", ALL), what]);
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

test("Child.usage() counts the processor time and the processes of the grandchildren as well", async () => {
  const { cpuSeconds, processes, times } = await report<UsageReport>("usage");
  // The shell writes "0m0.250000s 0m0.010000s".
  const own = [...times.matchAll(/(\d+)m([\d.]+)s/g)].map(([, m, s]) => 60 * Number(m) + Number(s));
  assertEquals(own.length, 2, times);
  const sum = own[0]! + own[1]!;
  assert(sum > 0.05, `the grandchild computed for ${sum} s`);
  // The shell counts in ticks of 10 ms.
  assert(cpuSeconds > sum * 0.7, `${cpuSeconds} s, of which ${sum} s are the grandchild's`);
  // The rest is what two shells take to start.
  assert(cpuSeconds < sum + 0.5, `${cpuSeconds} s, of which ${sum} s are the grandchild's`);
  assertEquals(processes, 2);
});

test("startMonitor() does not enter a cgroup if an option is invalid, and a later one can", async () => {
  const { errors, stayed, killScope } = await report<RefusedReport>("refused");
  assertEquals([errors, stayed], [["RangeError", "Error"], true]);
  assertMatch(killScope, /^cgroup \(/);
});

test("startMonitor() ends no child that its program started while it waited in a cgroup, and leaves no cgroup", async () => {
  assertEquals(await report<BesidesReport>("besides"), { ends: [null, null, null], problems: [], cgroups: "" });
});
