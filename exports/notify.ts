/**
 * Runs a command when something happens in a colony: `@ncolony/notify`.
 *
 * @module
 */

export * from "@ncolony/notify";
