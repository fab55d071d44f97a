/**
 * Runs a command when something happens in a colony: a process exits, is in a crash loop or is unhealthy, a config is
 * invalid, the monitor is gone.
 *
 * Run it as `deno run -A jsr:@ncolony/notify --colony DIR --on exited,problem --arg CMD`, preferably under the monitor
 * itself, or call {@linkcode makeService} in your own program.
 *
 * @module
 */

import { main } from "./main.ts";

export type { NoticeKind } from "@ncolony/core";
export type { Service } from "@ncolony/host";
export { main } from "./main.ts";
export type { Options } from "./options.ts";
export { makeService } from "./service.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
