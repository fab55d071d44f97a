/**
 * Runs a command at intervals or at the times of a cron expression. A process monitor can run this program to run
 * short-lived processes.
 *
 * Run it as `deno run -A jsr:@ncolony/scheduler --frequency 60 --timeout 10 --grace 1 --arg CMD`, or use
 * {@linkcode makeService} and {@linkcode runProcess} in your own program.
 *
 * @module
 */

import { main } from "./main.ts";

export type { Exit, KillScope } from "@ncolony/core";
export type { ChildOutput, OnBytes, Service } from "@ncolony/host";
export { main } from "./main.ts";
export type { Options } from "./options.ts";
export { makeService, type RunOptions, runProcess } from "./service.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
