/**
 * The heart of a program that runs under the monitor. It shows beatcheck that the program is alive.
 *
 * @example
 * ```ts
 * import { startHeart } from "@ncolony/beatcheck/heart";
 *
 * using heart = startHeart();
 * ```
 *
 * @module
 */

export { type Environ, Heart, type HeartOptions, maybeBeat, startHeart } from "@ncolony/host";
