/**
 * How the processes of a colony stand, as the lines with which `ctl events` begins.
 *
 * @module
 */

import type { ToldEvent } from "./event.ts";
import type { JsonObject } from "./json.ts";
import { count, iso, time } from "./json_values.ts";
import { whyStopping } from "./stale.ts";
import { moment } from "./story.ts";
import { faultIn, isUnknown, processJson, type Seen, summaries, type View } from "./view.ts";
import { howItIs } from "./why.ts";

/** A line about how something stands. */
export interface Standing {
  /** The text: its time, and a sentence. It can contain what could control a terminal. */
  readonly text: string;
  /** Whether something is wrong. */
  readonly isBad: boolean;
}

/** Tells how each process stands, and then what is wrong with the monitor, if anything is. */
export function standings(view: View): Standing[] {
  const at = moment(iso(view.now));
  return [
    ...view.processes.map((seen) => ({
      text: `${at}  ${standingOf(seen, view)}`,
      isBad: isUnknown(view, seen) || seen.fault !== null,
    })),
    ...aboutMonitor(view).map((sentence) => ({ text: `${at}  ${sentence}`, isBad: true })),
  ];
}

/** Returns the same as JSON objects with the keys of events: first the monitor, and then each process. */
export function standingsJson(view: View): ToldEvent[] {
  const { now, isAlive, monitor, processes } = view;
  return [
    standing(null, now, { ...monitor, alive: isAlive }),
    ...processes.map((seen) => standing(seen.status.name, now, processJson(view, seen))),
  ];
}

/**
 * Returns whether a view shows the result of an event already.
 *
 * @param view How all processes that are wanted are, also those that are removed. It was read after the event.
 */
export function isStanding({ monitor, processes }: View): (event: ToldEvent) => boolean {
  const own = count(monitor.last_event) ?? 0;
  const known = new Map(processes.map((seen) => [seen.status.name, seen]));
  return ({ id, name, at, event, check }) => {
    const seen = name === null ? undefined : known.get(name);
    if (id === null) {
      const health = seen?.healths.get(`${check}`);
      return health !== undefined && health.since === time(at) && health.isHealthy === (event === "healthy");
    }
    // A process without a file is forgotten since the monitor started, or so new that its file is not yet written.
    return id <= (seen === undefined ? own : seen.facts.lastEvent ?? 0);
  };
}

function standing(name: string | null, now: number, json: JsonObject): ToldEvent {
  // These keys come first, and no file can change them.
  const own = { id: null, name, at: iso(now), event: "status" };
  return { ...own, ...json, ...own };
}

function standingOf(seen: Seen, view: View): string {
  const { name } = seen.status;
  if (isUnknown(view, seen)) return `The state of ${name} is unknown.`;
  const fault = faultIn(view, seen);
  return fault === null ? howItIs(seen, view)[0]! : `${name} ${fault}.`;
}

function aboutMonitor(view: View): string[] {
  if (view.isAlive === false) return summaries(view);
  return [whyStopping(view.monitor, view.now), view.stale].filter((sentence) => sentence !== null);
}
