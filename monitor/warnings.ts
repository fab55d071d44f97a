import { DEFAULT_KILL_TIME_MS, MONITOR_KEYS, parseObject, shownText, type Spec, SpecError } from "@ncolony/core";
import { closestString } from "@std/text/closest-string";
import type { StopTime } from "./stop_time.ts";

/** What decides whether a person is warned of a config. */
export interface Surroundings {
  /** The monitor's group id. */
  readonly gid: number | null;
  /** The kill time of configs that have none, in milliseconds. */
  readonly killTimeMs: number;
  /** How long a stop of everything may take. */
  readonly stopTime: StopTime;
}

/** A tool that runs for long, by what it is called: `jsr:@ncolony/scheduler`, `/usr/bin/ncolony-scheduler.js`. */
const TOOL = /(@ncolony\/|^ncolony-|\/ncolony-)(monitor|scheduler|beatcheck|httpcheck|reaper)\b/;

/** Where a key of the monitor's belongs that stands where it does not look; null of any other key. */
function whereItBelongs(key: string): string | null {
  if (MONITOR_KEYS.includes(key)) return 'it belongs into "ncolony.monitor"';
  if (key === "user") return 'give the numeric "uid" and "gid"';
  return key === "ncolony_monitor" ? 'its name is "ncolony.monitor"' : null;
}

/** The keys of a config that are somebody's. */
const SECTIONS = ["ncolony.monitor", "ncolony.beatcheck", "ncolony.httpcheck"];

/** What a person should know of a config that is good, a sentence each. */
export function warningsOf(spec: Spec, { gid, killTimeMs, stopTime }: Surroundings): string[] {
  const warnings: string[] = [];
  if (spec.gid === undefined && spec.uid && gid === 0) {
    warnings.push('has a "uid" but no "gid", so it runs with the monitor\'s gid 0');
  }
  const ownMs = spec.killTimeMs ?? killTimeMs;
  const { totalMs, killMs } = stopTime;
  if (ownMs > killMs) {
    warnings.push(
      `has ${ownMs / 1000} s to end, but when everything is stopped, all must end within ${totalMs / 1000} s ` +
        `(--stop-within): then it gets SIGKILL after ${killMs / 1000} s`,
    );
  }
  // That is what such a tool takes its time to be where its config says nothing.
  const isHurried = spec.killTimeMs === undefined && killTimeMs < DEFAULT_KILL_TIME_MS;
  if (isHurried && spec.args.some((word) => TOOL.test(word))) {
    warnings.push(
      `runs an NColony tool, which assumes that it has ${DEFAULT_KILL_TIME_MS / 1000} s to end, but --killtime is ` +
        `${killTimeMs / 1000}: give it a "kill_time"`,
    );
  }
  for (const key of Object.keys(parseObject(spec.source, (reason) => new SpecError(spec.name, null, reason)))) {
    const misplaced = whereItBelongs(key);
    if (misplaced !== null) warnings.push(`has "${key}" as an extra, which the monitor does not look at: ${misplaced}`);
    if (!key.startsWith("ncolony.") || SECTIONS.includes(key)) continue;
    const shown = JSON.stringify(shownText(key));
    warnings.push(`has the key ${shown}, which nobody knows: did you mean "${closestString(key, SECTIONS)}"?`);
  }
  return warnings;
}
