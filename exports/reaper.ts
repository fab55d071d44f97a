/**
 * PID 1 for a container: `@ncolony/reaper`.
 *
 * @module
 */

export * from "@ncolony/reaper";
