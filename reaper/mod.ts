/**
 * PID 1 for a container: runs one command, passes signals to it, and waits for every orphan.
 *
 * Run it as `deno run --allow-run --allow-ffi jsr:@ncolony/reaper -- CMD ARG…`.
 *
 * @module
 */

import { main } from "./main.ts";

export { main } from "./main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
