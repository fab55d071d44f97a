import { isObject, type Json, type ToldStatus } from "@ncolony/core";
import type { StatusReader } from "@ncolony/host/read-tool";

/**
 * Returns how often a process died in a row: it exited unasked within the threshold, or could not be started. The
 * history of a process whose last exit was asked for is not read.
 */
export function deathsOf(reader: StatusReader, { status, facts }: ToldStatus): number {
  if (status.lastExit === null || status.lastExit.isAsked) return 0;
  const history = reader.json(".history", status.name)?.history;
  const exits = (Array.isArray(history) ? history : []).filter(isObject).filter(({ event }) => event === "exited");
  const isDeath = ({ type, lived, asked }: { readonly [key: string]: Json }) =>
    asked !== true && (type === "failed" || typeof lived === "number" && lived * 1000 < facts.thresholdMs);
  const lastGood = exits.findLastIndex((exit) => !isDeath(exit));
  return exits.length - 1 - lastGood;
}
