import type { ProcessEvent, ProcessState } from "./process.ts";
import { shownText } from "./shown.ts";
import type { Exit } from "./types.ts";

/**
 * What became of a process, in one line for a log: `running -> stopping (unwanted)`; or how it ended that was asked to:
 * `ended: SIGTERM after 12 s`.
 *
 * @param before Its state before the event.
 * @param event What happened.
 * @param after Its state after the event.
 * @param now The time of the event, in the states' milliseconds.
 */
export function describeStep(before: ProcessState, event: ProcessEvent, after: ProcessState, now: number): string {
  const what = describeEvent(before, event, now);
  return before.type === after.type ? `ended: ${what}` : `${before.type} -> ${describeState(after, now)} (${what})`;
}

/** How a child ended, in a few words: `exit code 3`, `SIGKILL`, `cannot start: …`. */
export function describeExit(exit: Exit): string {
  switch (exit.type) {
    case "code":
      return `exit code ${exit.code}`;
    case "signal":
      return exit.signal;
    case "failed":
      return `cannot start: ${shownText(exit.reason)}`;
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
      // Whose child it was knows how it ended.
      if (before.startedAt === -Infinity) return "exit status unknown, an earlier monitor started it";
      const exit = describeExit(event.exit);
      const lived = event.exit.type !== "failed";
      return lived ? `${exit} after ${describeDuration(now - before.startedAt)}` : exit;
    }
    case "group-exited":
      return "all of it ended";
    case "tick":
      return before.type === "stopping" ? "kill time over" : "delay over";
    default:
      return event.type;
  }
}

/** Why a process, or a scheduled run, is not gone so long after SIGKILL: it may be that the signal was refused. */
export function describeStuck(afterMs: number, isRefused: boolean): string {
  const seconds = afterMs < 1000 ? (afterMs / 1000).toFixed(1) : Math.round(afterMs / 1000);
  return isRefused ? "may not be signalled" : `does not end ${seconds} s after SIGKILL`;
}

/** A duration for a person: `0.25 s`, `61 s`. */
export function describeDuration(durationMs: number): string {
  return `${Number((durationMs / 1000).toPrecision(durationMs < 1e6 ? 3 : 12))} s`;
}
