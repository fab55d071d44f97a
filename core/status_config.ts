import { type Folded, type HistoryEvent, isAtRest, type Status, type StatusProblem } from "./status.ts";

/** What a scan found out about a config. */
export interface StatusConfig {
  /** What becomes of its process: it must run, or rest. Null: it has no valid config. */
  readonly wants: "run" | "disabled" | "removed" | null;
  /** What is wrong with the file. Null if nothing is. */
  readonly problem: Omit<StatusProblem, "since"> | null;
  /** The text of the config in force. Null if there is none. */
  readonly source: string | null;
}

/** Folds the change of a config into a status, before the step that it causes. */
export function foldConfig(status: Status, { wants, problem, source }: StatusConfig, at: number): Folded {
  const events: HistoryEvent[] = [];
  const rest = wants === "disabled" || wants === "removed" ? wants : "stopped";
  let folded: Status = status.rest === rest ? status : { ...status, rest };
  const isKnown = problem?.message === status.problem?.message && problem?.field === status.problem?.field;
  if (!isKnown) {
    folded = { ...folded, problem: problem === null ? null : { ...problem, since: at } };
    if (folded.problem !== null) events.push({ event: "problem", problem: folded.problem });
    else if (wants !== "removed") events.push({ event: "problem-gone" });
  }
  if (wants === "disabled" && folded.source !== source) folded = { ...folded, source };
  const state = wants === null ? "invalid" : wants;
  if (!isAtRest(status) || state === "run" || state === status.state) return [folded, events];
  if (state !== "invalid") events.push({ event: state });
  return [{ ...folded, state, since: at }, events];
}
