/**
 * Adds, changes, removes and restarts processes: `@ncolony/ctl`.
 *
 * @module
 */

export * from "@ncolony/ctl";
