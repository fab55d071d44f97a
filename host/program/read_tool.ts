/**
 * What a command that shows something needs in addition to `tool.ts`. It is loaded only for such a command.
 *
 * @module
 */

export { denoClock } from "../clock.ts";
export { type Missing, missingHere } from "../children/here.ts";
export { configDirectory, isDirectory } from "../files/directory.ts";
export type { Directory } from "../types.ts";
export { isGranted } from "../permission.ts";
export { ColonyCache } from "../files/colony_cache.ts";
export { readStory, readView } from "../files/colony_view.ts";
export { watchNames } from "../files/watch_names.ts";
export { StatusReader } from "../files/status_reader.ts";
export { EventReader } from "../output/event_reader.ts";
export { LogReader } from "../output/log_reader.ts";
export { sha256 } from "../sha256.ts";
export { type Terminal, terminal } from "./terminal.ts";
export { type Picture, printAll, watchStatus } from "./watch_status.ts";
