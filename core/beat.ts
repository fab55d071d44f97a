import { parseConfig, throwing } from "./config_text.ts";
import { Fields, MAX_SECONDS, type Report } from "./fields.ts";
import type { JsonObject } from "./json.ts";

/** The heartbeat that a config asks of its process, under `ncolony.beatcheck`. */
export interface Beat {
  /** How often the process must beat, in milliseconds. */
  readonly periodMs: number;
  /** How long a process is not checked after it was started or changed, in milliseconds: `grace` periods. */
  readonly graceMs: number;
  /** The file that the process touches, or a directory that holds a file of the process's name. */
  readonly status: string;
}

/** The times that {@linkcode isStale} compares, in milliseconds since 1970. */
export interface BeatTimes {
  /** When the config changed last. */
  readonly changedAt: number;
  /** When the checker was started. */
  readonly startedAt: number;
  /** When the process was started; null if unknown. */
  readonly bornAt: number | null;
  /** When the checker last asked for a restart; null if never. */
  readonly askedAt: number | null;
  /** When the process beat last; null if never. */
  readonly beatAt: number | null;
}

/**
 * Parses the heartbeat of a config: `"ncolony.beatcheck": {"period": 10, "grace": 3, "status": "/run/hearts"}`. Returns
 * null if the config has none.
 *
 * `period` is in seconds, at least 0.01. `grace` is a number of periods. Unknown keys are errors, so that typos are
 * noticed; Python NColony ignores them.
 *
 * @param name The name of the config.
 * @param source The text of the config.
 * @throws {SpecError} If the config is invalid. The error names the field.
 *
 * @example
 * ```ts
 * import { parseBeat } from "@ncolony/core";
 *
 * const config = '{"args": ["httpd"], "ncolony.beatcheck": {"period": 10, "grace": 3, "status": "/run/hearts"}}';
 * if (parseBeat("web", config)?.graceMs !== 30_000) throw new Error("unexpected");
 * ```
 */
export function parseBeat(name: string, source: string): Beat | null {
  return readBeat(parseConfig(name, source), throwing(name));
}

/** Reads the heartbeat of a config. If a key is invalid, reports that. */
export function readBeat(config: JsonObject, report: Report): Beat | null {
  const fields = new Fields(config, "", report).section("ncolony.beatcheck");
  if (fields === null) return null;
  fields.only(["period", "grace", "status"]);
  const period = fields.needed("period", fields.period("period"), 1);
  const grace = fields.needed("grace", fields.number("grace", MAX_SECONDS), 0);
  const status = fields.needed("status", fields.text("status"), "");
  return { periodMs: period * 1000, graceMs: period * grace * 1000, status };
}

/**
 * Returns whether a process must be restarted because it stopped beating: its start and its last beat are more than a
 * period ago, and its grace is over. The grace begins at the newest of: the start of the process, the last change of
 * its config, the start of the checker, and the last restart that the checker asked for.
 *
 * Python NColony has no grace after a start, so it keeps restarting a process whose first beat is slow. A beat in the
 * future counts as a beat.
 *
 * @param beat The heartbeat that the config asks for.
 * @param times The times to compare.
 * @param now The time, in milliseconds since 1970.
 */
export function isStale({ periodMs, graceMs }: Beat, times: BeatTimes, now: number): boolean {
  const { changedAt, startedAt, bornAt, askedAt, beatAt } = times;
  const graceAt = Math.max(changedAt, startedAt, bornAt ?? -Infinity, askedAt ?? -Infinity);
  if (graceAt + graceMs >= now) return false;
  return Math.max(beatAt ?? -Infinity, bornAt ?? -Infinity) + periodMs < now;
}
