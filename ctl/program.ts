import type { Program } from "@ncolony/host/tool";
import { HELP } from "./commands.ts";
import manifest from "./deno.json" with { type: "json" };

/** This program. */
export const PROGRAM: Program = { name: "ncolony-ctl", version: manifest.version, help: HELP };
