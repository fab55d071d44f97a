/**
 * Checks HTTP servers: asks a monitor for the restart of processes whose answers are bad.
 *
 * Run it as `deno run -A jsr:@ncolony/httpcheck --config DIR --messages DIR`, best under the monitor itself, or
 * {@linkcode makeService} inside a program of your own.
 *
 * @module
 */

import { main } from "./main.ts";

export type { CheckOptions as Options, Service } from "@ncolony/host";
export { makeService } from "./httpcheck.ts";
export { main } from "./main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
