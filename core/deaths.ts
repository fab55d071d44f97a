import type { JsonObject } from "./json.ts";
import type { ToldStatus } from "./status_json.ts";

/**
 * Returns how often a process died in a row: it exited unasked within the threshold, or could not be started.
 *
 * @param told The status of the process.
 * @param history Returns the events of its history. It is not called if the last exit was asked for.
 */
export function deathsOf({ status, facts }: ToldStatus, history: () => readonly JsonObject[]): number {
  if (status.lastExit === null || status.lastExit.isAsked) return 0;
  const exits = history().filter(({ event }) => event === "exited");
  const lastGood = exits.findLastIndex((exit) => !isDeath(exit, facts.thresholdMs));
  return exits.length - 1 - lastGood;
}

/** Whether an event `exited` is a death: nobody asked for it, and it came within the threshold, or the start failed. */
export function isDeath({ type, lived, asked }: JsonObject, thresholdMs: number): boolean {
  return asked !== true && (type === "failed" || typeof lived === "number" && lived * 1000 < thresholdMs);
}
