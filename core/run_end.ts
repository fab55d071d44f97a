import { describeExit } from "./describe.ts";
import { isFailure, type ScheduleStep } from "./schedule.ts";

/** How a run ends that counts. One that ends because its program is stopped does not count. */
export type RunResult = "success" | "failure" | "timeout";

/** How a run ended. */
export interface RunEnd {
  /** How it counts. */
  readonly result: RunResult | "stopped";
  /** Why it was no success, such as `exit code 3`. Null if it was one. */
  readonly reason: string | null;
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
}

/** Returns how a run ended, if it did so in a step. Null if none did. */
export function runEndOf([state, effects]: ScheduleStep): RunEnd | null {
  const report = effects.find((effect) => effect.type === "report");
  if (report === undefined || !("cause" in state)) return null;
  const { exit, durationMs } = report;
  if (state.cause === "stop") return { result: "stopped", reason: "stopped", durationMs };
  if (state.cause === "timeout") return { result: "timeout", reason: "timed out", durationMs };
  if (isFailure(exit)) return { result: "failure", reason: describeExit(exit), durationMs };
  return { result: "success", reason: null, durationMs };
}
