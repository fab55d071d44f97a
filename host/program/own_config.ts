import { DEFAULT_KILL_TIME_MS, parseSpec, SpecError } from "@ncolony/core";
import type { Environ } from "../types.ts";
import { denoEnviron, EnvironError } from "./environ.ts";

/**
 * How long this program has, in milliseconds, from the stop signal of the monitor that runs it until SIGKILL: the
 * `kill_time` of its config, else the default of monitors. Null where no monitor runs it, as far as it may know.
 */
export function ownKillTimeMs(environ: Environ = denoEnviron): number | null {
  try {
    const [name, source] = ["NCOLONY_NAME", "NCOLONY_CONFIG"].map(environ);
    if (name === undefined || source === undefined) return null;
    return parseSpec(name, source).killTimeMs ?? DEFAULT_KILL_TIME_MS;
  } catch (error) {
    // Somebody else set them, or they may not be read.
    if (error instanceof SpecError || error instanceof EnvironError || error instanceof Deno.errors.NotCapable) {
      return null;
    }
    throw error;
  }
}
