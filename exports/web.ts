/**
 * The page of a colony: `@ncolony/web`.
 *
 * @module
 */

export * from "@ncolony/web";
