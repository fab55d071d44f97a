/**
 * Heartbeat checks: `@ncolony/beatcheck`.
 *
 * @module
 */

export * from "@ncolony/beatcheck";
