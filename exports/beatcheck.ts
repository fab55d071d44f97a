/**
 * Checks of heartbeats: `@ncolony/beatcheck`.
 *
 * @module
 */

export * from "@ncolony/beatcheck";
