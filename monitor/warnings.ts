import type { Spec } from "@ncolony/core";
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

/** What this project's tools take the kill time of a monitor to be, where their config says nothing, in milliseconds. */
const TOOLS_KILL_TIME_MS = 5000;

/** A tool that runs for long, by what it is called: `jsr:@ncolony/scheduler`, `/usr/bin/ncolony-scheduler.js`. */
const TOOL = /(@ncolony\/|^ncolony-|\/ncolony-)(monitor|scheduler|beatcheck|httpcheck|reaper)\b/;

/** What a person should know of a config that is good, a sentence each. */
export function warningsOf(spec: Spec, { gid, killTimeMs, stopTime }: Surroundings): string[] {
  const warnings: string[] = [];
  if (spec.gid === undefined && spec.uid && gid === 0) {
    warnings.push('has a "uid" but no "gid", so it runs with the monitor\'s gid 0');
  }
  const ownMs = spec.killTimeMs ?? killTimeMs;
  if (ownMs > stopTime.killMs) {
    warnings.push(
      `has ${ownMs / 1000} s to end, but when everything is stopped, all must end within ${
        stopTime.totalMs / 1000
      } s ` +
        `(--stop-within): then it gets SIGKILL after ${stopTime.killMs / 1000} s`,
    );
  }
  if (spec.killTimeMs === undefined && killTimeMs < TOOLS_KILL_TIME_MS && spec.args.some((word) => TOOL.test(word))) {
    warnings.push(
      `runs a tool of NColony, which takes it that it has ${TOOLS_KILL_TIME_MS / 1000} s to end, but --killtime is ` +
        `${killTimeMs / 1000}: it needs a "kill_time" of its own`,
    );
  }
  return warnings;
}
