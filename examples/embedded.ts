/**
 * Runs a colony inside this program, and prints its events.
 *
 *     deno run --allow-read --allow-write --allow-run --allow-env --allow-sys=uid,gid examples/embedded.ts CONFIG MESSAGES
 *
 * First run: deno add jsr:@ncolony/monitor
 */

// deno-lint-ignore-file no-console -- a program talks to its user

import { startMonitor } from "@ncolony/monitor";

const [config, messages] = Deno.args;
if (config === undefined || messages === undefined) {
  console.error("usage: embedded.ts CONFIG MESSAGES");
  Deno.exit(2);
}

await using colony = await startMonitor({ config, messages, output: null });
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) Deno.addSignalListener(signal, () => colony.stop());

for await (const event of colony.events) {
  switch (event.type) {
    case "started":
      console.log(`${event.name} runs as pid ${event.pid}`);
      break;
    case "exited":
      console.log(`${event.name} has ended:`, event.exit);
      break;
    case "waiting":
      console.log(`${event.name} is started again in ${Math.round(event.delayMs)} ms`);
      break;
    case "stopped":
      console.log(`${event.name} is gone`);
      break;
    case "problem":
      console.error(`trouble with ${event.name ?? "the colony"}: ${event.message}`);
  }
}
Deno.exit(await colony.ended);
