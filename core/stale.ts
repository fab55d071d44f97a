import type { JsonObject } from "./json.ts";
import { describeSpan } from "./verdict.ts";

/** A monitor that has not written about itself for longer than this many full scans is stuck, or cannot write. */
const MISSED_SCANS = 3;

/** How much longer a scan may take, in milliseconds. */
const SLACK_MS = 10_000;

/** Returns that a monitor was asked to stop, as a sentence. Null if it was not. */
export function whyStopping({ stopping, pid }: JsonObject, now: number): string | null {
  const at = typeof stopping === "string" ? Date.parse(stopping) : NaN;
  if (Number.isNaN(at)) return null;
  return `The monitor (pid ${pid}) has been shutting down for ${
    describeSpan(Math.max(0, now - at))
  } and stops all processes.`;
}

/** Returns why what is shown may not be how things are, as a sentence: the monitor is stuck, or blind. Null if it is not. */
export function whyOld(monitor: JsonObject, now: number): string | null {
  const { config, problem } = monitor;
  const stale = whyStale(monitor, now);
  if (typeof problem !== "string") return stale;
  const blind = `The monitor cannot read the configs in ${config}: ${problem}. What runs goes on.`;
  return stale === null ? blind : `${blind} ${stale}`;
}

/** Returns for how long a monitor that lives has not written its status. Null if it has just done so. */
function whyStale({ last_scan, frequency, pid }: JsonObject, now: number): string | null {
  const at = typeof last_scan === "string" ? Date.parse(last_scan) : NaN;
  if (Number.isNaN(at) || typeof frequency !== "number") return null;
  const silentMs = now - at;
  if (silentMs <= frequency * 1000 * MISSED_SCANS + SLACK_MS) return null;
  return `The monitor (pid ${pid}) has not written its status for ${
    describeSpan(silentMs)
  }: it is stuck or cannot write, and this may be old.`;
}
