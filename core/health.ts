/**
 * The health of processes, as a checker such as httpcheck finds it, and the files in which it reports that.
 *
 * @module
 */

import type { JsonObject } from "./json.ts";
import { count, iso, objectIn, textOf, time } from "./json_values.ts";
import type { Status } from "./status.ts";

/** What a checker found out about a process. Times are in milliseconds since 1970. */
export interface Health {
  /** Whether the process is healthy. Null if that is not known, for example during its grace. */
  readonly isHealthy: boolean | null;
  /** Since when that is so. */
  readonly since: number;
  /** When it last answered or failed to, or when its last heartbeat was. Null if never. */
  readonly last: number | null;
  /** Why it is so, in a few words. Null if there is nothing to say. */
  readonly reason: string | null;
  /** Which start of the process this is about. Null if the checker does not know. */
  readonly incarnation: number | null;
}

/** Formats the file in which a checker reports the health of a process. */
export function formatHealth(health: Health): string {
  return JSON.stringify(healthJson(health));
}

/** Returns the JSON form of what checkers report about one process, by their names. */
export function healthsJson(healths: ReadonlyMap<string, Health>): JsonObject {
  return Object.fromEntries([...healths].map(([checker, health]) => [checker, healthJson(health)]));
}

function healthJson({ isHealthy, since, last, reason, incarnation }: Health): JsonObject {
  return { healthy: isHealthy, since: iso(since), last: iso(last), reason, incarnation };
}

/** Parses such a file. Null if it is none. Never throws. */
export function parseHealth(text: string): Health | null {
  const told = objectIn(text);
  if (told === null) return null;
  return {
    isHealthy: typeof told.healthy === "boolean" ? told.healthy : null,
    since: time(told.since) ?? 0,
    last: time(told.last),
    reason: textOf(told.reason),
    incarnation: count(told.incarnation),
  };
}

/** Returns a health as it is now: it is unknown if the process does not run, or was started since it was found. */
export function currentHealth(found: Health, { state, incarnation, started }: Status): Health {
  // An earlier colony may have had a process of this name, and a start of this number.
  const isLater = started !== null && Math.max(found.last ?? -Infinity, found.since) >= started;
  const isOfStart = isLater && (found.incarnation === null || found.incarnation === incarnation);
  if (state === "running" && isOfStart) return found;
  return found.isHealthy === null ? found : { ...found, isHealthy: null, reason: null };
}

/**
 * Returns what checkers found wrong with a process, such as `is unhealthy (httpcheck: status 503)`. Null if nothing. A
 * process that a checker had restarted counts as unhealthy until that checker finds it healthy.
 */
export function whyUnhealthy(healths: ReadonlyMap<string, Health>, { cause }: Pick<Status, "cause">): string | null {
  const bad = [...healths].filter(([, { isHealthy }]) => isHealthy === false);
  if (bad.length > 0) {
    const told = bad.map(([checker, { reason }]) => reason === null ? checker : `${checker}: ${reason}`);
    return `is unhealthy (${told.join("; ")})`;
  }
  const unchecked = [...healths].find(([, { isHealthy, reason, last }]) => {
    return isHealthy === null && reason !== null && last === null;
  });
  if (unchecked !== undefined) return `cannot be checked (${unchecked[0]}: ${unchecked[1].reason})`;
  const { from, reason } = cause?.kind === "message" ? cause : { from: null, reason: null };
  if (from === null || healths.get(from)?.isHealthy !== null) return null;
  return `was restarted by ${from}${reason === null ? "" : ` (${reason})`} and has not been healthy since`;
}
