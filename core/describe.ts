import type { ProcessEvent, ProcessState } from "./process.ts";
import { shownText } from "./shown.ts";
import type { Exit } from "./types.ts";

/**
 * Describes a step in one line for a log: `running -> stopping (unwanted)`. If the state stays the same, describes only
 * the event: `ended: SIGTERM after 12 s`.
 *
 * @param before The state before the event.
 * @param event What happened.
 * @param after The state after the event.
 * @param now The time of the event, in milliseconds of the states' clock.
 */
export function describeStep(before: ProcessState, event: ProcessEvent, after: ProcessState, now: number): string {
  const what = describeEvent(before, event, now);
  return before.type === after.type ? `ended: ${what}` : `${before.type} -> ${describeState(after, now)} (${what})`;
}

/** Describes the exit of a child in a few words: `exit code 3`, `SIGKILL`, `cannot start: …`. */
export function describeExit(exit: Exit): string {
  switch (exit.type) {
    case "code":
      return `exit code ${exit.code}`;
    case "signal":
      return exit.signal;
    case "failed":
      return `cannot start: ${shownText(exit.reason)}`;
    case "unknown":
      return `exit status unknown (${exit.reason})`;
  }
}

function describeState(state: ProcessState, now: number): string {
  return state.type === "waiting" ? `waiting for ${describeDuration(state.until - now)}` : state.type;
}

function describeEvent(before: ProcessState, event: ProcessEvent, now: number): string {
  switch (event.type) {
    case "wanted":
      return before.type === "gone" || "next" in before && before.next === null ? "wanted" : "config changed";
    case "leader-exited": {
      const exit = describeExit(event.exit);
      const lived = event.exit.type !== "failed" && before.startedAt > -Infinity;
      return lived ? `${exit} after ${describeDuration(now - before.startedAt)}` : exit;
    }
    case "group-exited":
      return "kill scope is empty";
    case "tick":
      return before.type === "stopping" ? "kill time expired" : "delay expired";
    default:
      return event.type;
  }
}

/** Describes why a process or scheduled run is still there after SIGKILL: the signal was refused, or did not end it. */
export function describeStuck(afterMs: number, isRefused: boolean): string {
  const seconds = afterMs < 1000 ? (afterMs / 1000).toFixed(1) : Math.round(afterMs / 1000);
  return isRefused ? "cannot be signaled" : `has not exited ${seconds} s after SIGKILL`;
}

/** Formats a duration for people: `0.25 s`, `61 s`. */
export function describeDuration(durationMs: number): string {
  return `${Number((durationMs / 1000).toPrecision(durationMs < 1e6 ? 3 : 12))} s`;
}
