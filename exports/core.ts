/**
 * The pure part of NColony: `@ncolony/core`.
 *
 * @module
 */

export * from "@ncolony/core";
