/**
 * Checks heartbeats: asks a monitor for the restart of processes that stopped to touch their files.
 *
 * Run it as `deno run -A jsr:@ncolony/beatcheck --config DIR --messages DIR`, best under the monitor itself, or
 * {@linkcode makeService} inside a program of your own. Programs that shall be checked use `@ncolony/beatcheck/heart`.
 *
 * @module
 */

import { main } from "./main.ts";

export type { CheckOptions as Options, Service } from "@ncolony/host";
export { check, makeService } from "./beatcheck.ts";
export { main } from "./main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
