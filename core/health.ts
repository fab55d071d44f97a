/**
 * The health of processes, as a checker such as httpcheck finds it, and the files in which it tells that.
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

/** Formats the file in which a checker tells the health of a process. */
export function formatHealth(health: Health): string {
  return JSON.stringify(healthJson(health));
}

/** Returns the JSON form of a health. */
export function healthJson({ isHealthy, since, last, reason, incarnation }: Health): JsonObject {
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
  const isOfStart = found.incarnation === null
    ? found.last !== null && started !== null && found.last >= started
    : found.incarnation === incarnation;
  return state === "running" && isOfStart ? found : { ...found, isHealthy: null, reason: null };
}

/** Returns what checkers found wrong, such as `unhealthy (httpcheck: status 503)`. Null if nothing. */
export function whyUnhealthy(healths: ReadonlyMap<string, Health>): string | null {
  const bad = [...healths].filter(([, { isHealthy }]) => isHealthy === false);
  if (bad.length === 0) return null;
  const told = bad.map(([checker, { reason }]) => reason === null ? checker : `${checker}: ${reason}`);
  return `unhealthy (${told.join("; ")})`;
}
