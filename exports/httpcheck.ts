/**
 * Checks of HTTP servers: `@ncolony/httpcheck`.
 *
 * @module
 */

export * from "@ncolony/httpcheck";
