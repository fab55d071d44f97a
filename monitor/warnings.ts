import { DEFAULT_KILL_TIME_MS, extraKeys, parseConfig, type Spec } from "@ncolony/core";
import { closestString } from "@std/text/closest-string";
import type { StopTime } from "./stop_time.ts";

/** What the warnings about a config depend on. */
export interface WarningFacts {
  /** The monitor's group id, or null if it is unknown. */
  readonly gid: number | null;
  /** The kill time of configs without one, in milliseconds. */
  readonly killTimeMs: number;
  /** How long stopping everything may take. */
  readonly stopTime: StopTime;
}

/** The long-running tools, by name: `jsr:@ncolony/scheduler`, `/usr/bin/ncolony-scheduler.js`. */
const TOOL = /(@ncolony\/|^ncolony-|\/ncolony-)(monitor|scheduler|notify|beatcheck|httpcheck|reaper)\b/;

/** Returns the warnings about a valid config, one sentence each. */
export function warningsOf(spec: Spec, { gid, killTimeMs, stopTime }: WarningFacts): string[] {
  const warnings: string[] = [];
  if (spec.gid === undefined && spec.uid && gid === 0) {
    warnings.push('"uid" is set without "gid": the process runs with the monitor\'s gid 0');
  }
  const ownMs = spec.killTimeMs ?? killTimeMs;
  const { totalMs, killMs } = stopTime;
  if (ownMs > killMs) {
    warnings.push(
      `its kill time is ${ownMs / 1000} s, but all processes must end within ${totalMs / 1000} s when the monitor ` +
        `stops (--stop-within, or the monitor's own kill time): then it gets SIGKILL after ${killMs / 1000} s`,
    );
  }
  // A tool assumes the default kill time if its config has none.
  const isHurried = spec.killTimeMs === undefined && killTimeMs < DEFAULT_KILL_TIME_MS;
  if (isHurried && spec.args.some((word) => TOOL.test(word))) {
    warnings.push(
      `this NColony tool expects a kill time of ${DEFAULT_KILL_TIME_MS / 1000} s, but --killtime is ` +
        `${killTimeMs / 1000} s: set "kill_time" in its config`,
    );
  }
  const extras = extraKeys(parseConfig(spec.name, spec.source), (word, known) => closestString(word, [...known]));
  return [...warnings, ...extras.map(({ message }) => message)];
}
