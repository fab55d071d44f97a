/**
 * Runs a command now and then: a program for short-lived processes that a monitor of long-lived ones can run.
 *
 * Run it as `deno run -A jsr:@ncolony/scheduler --frequency 60 --timeout 10 --grace 1 --arg CMD`, or
 * {@linkcode makeService} and {@linkcode runProcess} inside a program of your own.
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
