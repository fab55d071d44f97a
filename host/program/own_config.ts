import { DEFAULT_KILL_TIME_MS, parseSpec, SpecError } from "@ncolony/core";
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
