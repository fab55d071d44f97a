import { describeExit } from "./describe.ts";
import type { Status } from "./status.ts";
import type { ToldStatus } from "./status_json.ts";
import type { Exit } from "./types.ts";

/** What is wrong with a process, in a few words, or null if it is well. */
export type Verdict = string | null;

/** Returns whether a process should run, as far as its status tells. */
export function shouldRun({ state }: Status): boolean {
  return state !== "disabled" && state !== "removed";
}

/**
 * Judges the status of a process.
 *
 * A process is well if it does what it was asked to do: it runs, or it stops or restarts because somebody asked for
 * that, or it rests. It is not well if it waits after a death, if it has just started after one that came within the
 * threshold, if its file is not in force, if a checker found it unhealthy, or if what SIGKILL should have ended is still
 * there.
 *
 * @param told The status.
 * @param deaths How often it died in a row within the threshold, or could not be started.
 * @param unhealthy What checkers found wrong, as {@linkcode whyUnhealthy} returns it. Null if nothing.
 * @param now The time, in milliseconds since 1970.
 */
export function judge({ status, facts }: ToldStatus, deaths: number, unhealthy: string | null, now: number): Verdict {
  const { state, lastExit, nextStart, cause, problem, waitsFor, started } = status;
  if (waitsFor !== null) return `waits for ${waitsFor}`;
  const death = lastExit === null || lastExit.isAsked ? null : describeDeath(lastExit.exit, deaths);
  if (state === "waiting" && death !== null && cause?.kind !== "message") {
    const wait = nextStart === null ? "" : ` ${describeSpan(Math.max(0, nextStart - now))}`;
    return `waits${wait} (${death})`;
  }
  if (state === "stopping" && cause?.kind === "exit") return `died (${death ?? "unknown"})`;
  if (state === "invalid" || problem !== null) {
    return `has an invalid config${place(status)}: ${problem?.message ?? ""}`;
  }
  if (unhealthy !== null && state === "running") return unhealthy;
  const isYoung = state === "running" && started !== null && now - started < facts.thresholdMs;
  return isYoung && death !== null && deaths > 0 ? `has just started (${death})` : null;
}

/** From this many deaths in a row on, their exact number is not shown. */
const MANY = 10;

/** Tells how a process died, and how often in a row: `exit code 3, 5th death in a row`. */
export function describeDeath(exit: Exit, deaths: number): string {
  const what = exit.type === "failed" ? "failed start" : "death";
  if (deaths < 2) return describeExit(exit);
  // The history holds at least ten of them, but not all.
  const count = deaths < MANY ? `${ordinal(deaths)} ${what}` : `at least ${MANY} ${what}s`;
  return `${describeExit(exit)}, ${count} in a row`;
}

function place({ problem }: Status): string {
  // Otherwise the message has the place.
  if (problem === null || problem.line === null || problem.field === null) return "";
  return ` at line ${problem.line}, column ${problem.column}`;
}

/** Formats a number below 10 as 1st, 2nd, 3rd and so on. */
function ordinal(count: number): string {
  return `${count}${["th", "st", "nd", "rd"][count] ?? "th"}`;
}

/** Units of time, the largest first, in milliseconds. */
const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1000]] as const;

/** Formats a span of time in its two largest units: `3d 4h`, `2m 5s`, `32 s` for less than a minute. */
export function describeSpan(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const first = UNITS.findIndex(([, unit]) => ms >= unit);
  const [[large, largeMs], [small, smallMs]] = [UNITS[first]!, UNITS[first + 1]!];
  const rest = Math.floor(ms % largeMs / smallMs);
  return `${Math.floor(ms / largeMs)}${large}${rest === 0 ? "" : ` ${rest}${small}`}`;
}
