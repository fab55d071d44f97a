/**
 * Checks heartbeats: asks the monitor to restart processes that stopped touching their heartbeat files.
 *
 * Run it as `deno run -A jsr:@ncolony/beatcheck --config DIR --messages DIR`, preferably under the monitor itself, or
 * call {@linkcode makeService} in your own program. Programs that want to be checked use `@ncolony/beatcheck/heart`.
 *
 * @module
 */

import { main } from "./main.ts";

export type { CheckOptions as Options, Service } from "@ncolony/host";
export { check, makeService } from "./beatcheck.ts";
export { main } from "./main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
