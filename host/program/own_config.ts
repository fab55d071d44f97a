import { DEFAULT_KILL_TIME_MS, fileNameFault, parseSpec, SpecError } from "@ncolony/core";
import type { Environ } from "../types.ts";
import { denoEnviron, EnvironError } from "./environ.ts";

/**
 * Returns how long this program has from its monitor's stop signal until SIGKILL, in milliseconds: the `kill_time` of
 * its config, or the default of monitors. Null if no monitor runs it, as far as it may know.
 */
export function ownKillTimeMs(environ: Environ = denoEnviron): number | null {
  try {
    const [name, source] = ["NCOLONY_NAME", "NCOLONY_CONFIG"].map(environ);
    if (name === undefined || source === undefined) return null;
    return parseSpec(name, source).killTimeMs ?? DEFAULT_KILL_TIME_MS;
  } catch (error) {
    // Another program set them, or they may not be read.
    if (error instanceof SpecError || error instanceof EnvironError || error instanceof Deno.errors.NotCapable) {
      return null;
    }
    throw error;
  }
}

/** Returns the name by which the monitor runs this program. Null if no monitor does, as far as it may know. */
export function ownName(environ: Environ = denoEnviron): string | null {
  try {
    const name = environ("NCOLONY_NAME");
    return name !== undefined && fileNameFault(name) === null ? name : null;
  } catch (error) {
    // It may not be read, or another program set it.
    if (error instanceof EnvironError || error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}
