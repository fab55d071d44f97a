/**
 * The process monitor: `@ncolony/monitor`.
 *
 * @module
 */

export * from "@ncolony/monitor";
