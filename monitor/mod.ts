/**
 * A process monitor that keeps the processes running that a directory of JSON files describes.
 *
 * Run it as `deno run -A jsr:@ncolony/monitor --config DIR --messages DIR`, or use {@linkcode startMonitor} in your own
 * program. {@linkcode makeService} and {@linkcode get} follow Python NColony, as do {@linkcode checker},
 * {@linkcode messages} and {@linkcode Receiver}, from which you can build another monitor.
 *
 * @module
 */

import { main } from "./main.ts";

export type { Exit, Group, KillScope, Limits, LogLimits, Spec, StopSignal, Surroundings } from "@ncolony/core";
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
