/**
 * Checks HTTP servers: asks the monitor to restart processes whose responses are bad.
 *
 * Run it as `deno run -A jsr:@ncolony/httpcheck --config DIR --messages DIR`, preferably under the monitor itself, or
 * call {@linkcode makeService} in your own program.
 *
 * @module
 */

import { main } from "./main.ts";

export type { CheckOptions as Options, Service } from "@ncolony/host";
export { makeService } from "./httpcheck.ts";
export { main } from "./main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
