/**
 * Shows the processes of a colony in a browser, and to programs over HTTP. It reads the monitor's status directory, and
 * cannot change anything.
 *
 * Run it as `deno run --allow-net=127.0.0.1:9180 --allow-read=colony/status,colony/logs jsr:@ncolony/web --colony
 * colony`, preferably under the monitor itself.
 *
 * @module
 */

import { main } from "./main.ts";

export { main } from "./main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
