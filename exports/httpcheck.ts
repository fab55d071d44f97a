/**
 * HTTP checks: `@ncolony/httpcheck`.
 *
 * @module
 */

export * from "@ncolony/httpcheck";
