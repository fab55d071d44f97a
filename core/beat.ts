import { SpecError } from "./errors.ts";
import { Fields, MAX_SECONDS } from "./fields.ts";
import { parseObject } from "./json.ts";

/** What a config says of the heart of its process, under `ncolony.beatcheck`. */
export interface Beat {
  /** The heart must beat this often, in milliseconds. */
  readonly periodMs: number;
  /** How long a process is let be after it was started or changed, in milliseconds: `grace` periods. */
  readonly graceMs: number;
  /** The file that is touched, or a directory in which one of the process's name is. */
  readonly status: string;
}

/** When what happened, in milliseconds since 1970. */
export interface BeatTimes {
  /** The last change of the config. */
  readonly changedAt: number;
  /** The start of the checker. */
  readonly startedAt: number;
  /** The start of the process; null where that is not known. */
  readonly bornAt: number | null;
  /** The last restart that the checker asked for; null where there was none. */
  readonly askedAt: number | null;
  /** The last beat; null where there was none. */
  readonly beatAt: number | null;
}

/**
 * Parses what a config says of a heart: `"ncolony.beatcheck": {"period": 10, "grace": 3, "status": "/run/hearts"}`. Gives
 * null where it says nothing.
 *
 * `period` is in seconds, 0.01 at least, `grace` counts periods. Python NColony ignores unknown keys, which are
 * refused here: a typo would go unnoticed.
 *
 * @param name The name of the config.
 * @param source Its text.
 * @throws {SpecError} Where it is wrong; it names the field.
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
  const fail = (field: string | null, reason: string) => new SpecError(name, field, reason);
  const fields = new Fields(parseObject(source, (reason) => fail(null, reason)), "", fail).section("ncolony.beatcheck");
  if (fields === null) return null;
  fields.only(["period", "grace", "status"]);
  const period = fields.needed("period", fields.period("period"));
  const grace = fields.needed("grace", fields.number("grace", MAX_SECONDS));
  const status = fields.needed("status", fields.text("status"));
  return { periodMs: period * 1000, graceMs: period * grace * 1000, status };
}

/**
 * Whether a process must be restarted because its heart is silent: it did not beat for a period of its life, and the grace is
 * over that began with the newest of its start, the config's change, the checker's start, and the last restart that the checker
 * asked for.
 *
 * Python NColony knows no such grace after a start, and so restarts what is slow to its first beat again and again. A beat from
 * the future is one.
 *
 * @param beat What the config says.
 * @param times When what happened.
 * @param now Milliseconds since 1970.
 */
export function isStale({ periodMs, graceMs }: Beat, times: BeatTimes, now: number): boolean {
  const { changedAt, startedAt, bornAt, askedAt, beatAt } = times;
  const graceAt = Math.max(changedAt, startedAt, bornAt ?? -Infinity, askedAt ?? -Infinity);
  if (graceAt + graceMs >= now) return false;
  return Math.max(beatAt ?? -Infinity, bornAt ?? -Infinity) + periodMs < now;
}
