/** The file descriptors that the parent of a program left open. */

import { assertEquals } from "@std/assert";
import { Colony } from "./harness.ts";
import { PATIENT, SCHEDULER_PERMISSIONS, script } from "./scheduling.ts";
import { MONITOR_PERMISSIONS, run, sh, toolCommand } from "./tools.ts";

/** The words that leave two descriptors open for a command. */
const LEAVING = [...sh('exec 3</dev/null 9>>/dev/null; exec "$@"'), "sh"];

/** Prints which of them this shell has. */
const LOOK = 'for it in 3 9; do [ -e /proc/$$/fd/$it ] && echo "inherits $it"; done; echo looked';

/** Returns what a process of a real monitor prints at its first start, and at its second one, which uses setsid(1). */
async function seenBelowMonitor(...permissions: readonly string[]): Promise<string[]> {
  await using colony = new Colony({
    wrap: LEAVING,
    permissions,
    config: { web: { args: ["/bin/sh", "-c", `${LOOK}; exec sleep 1000`] } },
  });
  await colony.waitFor(/\[web\] looked$/);
  colony.send({ type: "RESTART", name: "web" });
  await colony.waitFor(/\[web\] looked$/, 2);
  assertEquals(colony.matching(/ WARN /), []);
  return colony.stdout!.lines.map((line) => line.replace("[web] ", ""));
}

/** Returns what the command of a real scheduler prints. */
async function seenBelowScheduler(...permissions: readonly string[]): Promise<string[]> {
  const argv = ["--once", ...PATIENT, ...script(LOOK)];
  const { stdout } = await run([...LEAVING, ...toolCommand("scheduler/mod.ts", permissions), ...argv]);
  return stdout.trim().split("\n").map((line) => line.replace("[sh] ", ""));
}

const INHERITED = ["inherits 3", "inherits 9", "looked"];

Deno.test("processes inherit no file descriptor from the parent of a monitor with --allow-all", async () => {
  assertEquals(await seenBelowMonitor("--allow-all"), ["looked", "looked"]);
});

Deno.test("processes inherit the file descriptors of the parent of a monitor without --allow-all", async () => {
  assertEquals(await seenBelowMonitor(...MONITOR_PERMISSIONS), [...INHERITED, ...INHERITED]);
});

Deno.test("the scheduler's command inherits file descriptors of its parent only without --allow-all", async () => {
  assertEquals(await seenBelowScheduler("--allow-all"), ["looked"]);
  assertEquals(await seenBelowScheduler(...SCHEDULER_PERMISSIONS), INHERITED);
});
