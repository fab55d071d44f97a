/**
 * Runs a command periodically: `@ncolony/scheduler`.
 *
 * @module
 */

export * from "@ncolony/scheduler";
