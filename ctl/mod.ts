/**
 * Adds, changes, removes and restarts the processes of a colony, by writing the files that a monitor reads.
 *
 * Run it as `deno run -A jsr:@ncolony/ctl --messages DIR --config DIR add NAME --cmd CMD`, or call {@linkcode add},
 * {@linkcode remove} and {@linkcode restart}.
 *
 * @module
 */

import { main } from "./main.ts";

export type { Json, JsonObject, Origin } from "@ncolony/core";
export { add, type AddOptions, type Places, remove, restart, restartAll, restartGroup } from "./ctl.ts";
export type { ParsedArgs } from "@ncolony/host/tool";
export { patch, start, stop } from "./edit.ts";
export { call, main } from "./main.ts";
export { parseOptions } from "./options.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
