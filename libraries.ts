/**
 * The libraries, under their names.
 *
 * @module
 */

export * as beatcheck from "@ncolony/beatcheck";
export * as core from "@ncolony/core";
export * as ctl from "@ncolony/ctl";
export * as httpcheck from "@ncolony/httpcheck";
export * as monitor from "@ncolony/monitor";
export * as reaper from "@ncolony/reaper";
export * as scheduler from "@ncolony/scheduler";
