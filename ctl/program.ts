import type { Program } from "@ncolony/host/tool";
import manifest from "./deno.json" with { type: "json" };

/** This program. */
export const PROGRAM: Omit<Program, "help"> = { name: "ncolony-ctl", version: manifest.version };
