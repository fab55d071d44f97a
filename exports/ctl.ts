/**
 * Control of a colony: `@ncolony/ctl`.
 *
 * @module
 */

export * from "@ncolony/ctl";
