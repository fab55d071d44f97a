/**
 * The process monitor: keeps running what a directory of JSON files says.
 *
 * Run it as `deno run -A jsr:@ncolony/monitor --config DIR --messages DIR`, or {@linkcode startMonitor} inside a program of
 * your own. {@linkcode makeService} and {@linkcode get} are Python NColony's; {@linkcode checker},
 * {@linkcode messages} and {@linkcode Receiver} are its parts, for another monitor.
 *
 * @module
 */

import { main } from "./main.ts";

export type { Exit, KillScope, LogLimits, Spec, StopSignal } from "@ncolony/core";
export type { LogFormat, LogLevel, OutputOptions } from "@ncolony/host";
export { PidDirectory, type PidEntry, type Service } from "@ncolony/host";
export type { ColonyEvent } from "./events.ts";
export { checker, messages, type MonitorEventReceiver } from "./compat/checker.ts";
export { main } from "./main.ts";
export { DEFAULTS, type Options } from "./options.ts";
export { type ProcessMonitor, Receiver } from "./compat/receiver.ts";
export { get, makeService } from "./compat/service.ts";
export { type RunningMonitor, startMonitor, type StartOptions } from "./embed.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
