/**
 * Runs a command now and then: `@ncolony/scheduler`.
 *
 * @module
 */

export * from "@ncolony/scheduler";
