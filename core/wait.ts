import { describeExit } from "./describe.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";
import { isAtRest } from "./status.ts";
import type { ToldStatus } from "./status_json.ts";
import { describeSpan } from "./verdict.ts";

/** What somebody has asked for, and waits for. */
export type Order =
  /** A restart, by the message of this name. */
  | { readonly type: "restart"; readonly message: string }
  /** A config with this SHA-256, written at this time in milliseconds since 1970. */
  | { readonly type: "config"; readonly sha256: string; readonly at: number }
  /** The end of the process. */
  | { readonly type: "stop" };

/** What became of an order. */
export type Outcome =
  | { readonly type: "pending" }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly reason: string };

const PENDING: Outcome = { type: "pending" };
const DONE: Outcome = { type: "done" };

/**
 * Judges what became of an order. A restart, or a config, is done when the start that follows from it has lived for its
 * threshold, and each check of it has had a good result. It has failed as soon as that start has ended, or could not be
 * made.
 *
 * @param order The order.
 * @param told The status of the process. Null if it has none.
 * @param history The events of its history.
 * @param isWell Whether each check of the process has had a good result since its start.
 * @param now The time, in milliseconds since 1970.
 */
export function judgeOrder(
  order: Order,
  told: ToldStatus | null,
  history: readonly JsonObject[],
  isWell: boolean,
  now: number,
): Outcome {
  if (order.type === "stop") return told === null || isAtRest(told.status) ? DONE : PENDING;
  if (told === null) return PENDING;
  const outcome = order.type === "restart"
    ? judgeRestart(order.message, told, history, now)
    : judgeConfig(order, told, now);
  return outcome.type === "done" && told.status.state === "running" && !isWell ? PENDING : outcome;
}

/** Judges a restart. One with the last valid config has failed too, because that is not what the file says. */
function judgeRestart(message: string, told: ToldStatus, history: readonly JsonObject[], now: number): Outcome {
  const { state, problem } = told.status;
  if (state === "invalid") return { type: "failed", reason: `its config is invalid: ${problem?.message ?? ""}` };
  const outcome = judgeAnswer(message, told, history, now);
  if (outcome.type !== "done" || problem === null) return outcome;
  return {
    type: "failed",
    reason: `restarted with its last valid config, because its file is invalid: ${problem.message}`,
  };
}

function judgeAnswer(message: string, told: ToldStatus, history: readonly JsonObject[], now: number): Outcome {
  const { state, cause, incarnation, pid } = told.status;
  if (state === "running" && cause?.kind === "message" && cause.messages.includes(message)) return judgeAge(told, now);
  const answer = history.findLast((event) => isAnswer(event, message));
  if (answer === undefined) return PENDING;
  const end = answer.event === "exited"
    ? answer
    : history.find(({ event, incarnation }) => event === "exited" && incarnation === answer.incarnation);
  const answered = typeof answer.incarnation === "number" ? answer.incarnation : Infinity;
  if (end === undefined) return answered < incarnation ? DONE : PENDING;
  // The history is written before the status, which then tells how it ended.
  return answered < incarnation || answered === incarnation && pid === null
    ? failed(told, whoStopped(history.slice(history.indexOf(answer))))
    : PENDING;
}

/** Returns who had a process stopped by a message, and why: `httpcheck had it restarted (status 500): `. */
function whoStopped(history: readonly JsonObject[]): string {
  const cause = history.find(({ event }) => event === "stop-requested")?.cause;
  if (!isObject(cause) || typeof cause.from !== "string") return "";
  return `${cause.from} had it restarted${typeof cause.reason === "string" ? ` (${cause.reason})` : ""}: `;
}

/** Whether an event is the start that answers a message, or the failure of that start. */
function isAnswer({ event, type, cause }: JsonObject, message: string): boolean {
  const isStart = event === "started" || event === "exited" && type === "failed";
  return isStart && isObject(cause) && listOf(cause.messages).includes(message);
}

function judgeConfig(
  { sha256, at }: { readonly sha256: string; readonly at: number },
  told: ToldStatus,
  now: number,
): Outcome {
  const { status: { state, problem, lastExit }, facts } = told;
  // The clock of a file system may be some milliseconds behind.
  if (problem !== null && problem.since >= at - 1000) return { type: "failed", reason: problem.message };
  if (facts.sha256 !== sha256) return PENDING;
  if (state === "disabled") return DONE;
  if (state === "running") return judgeAge(told, now);
  return state === "waiting" && lastExit !== null && !lastExit.isAsked ? failed(told) : PENDING;
}

function judgeAge({ status, facts }: ToldStatus, now: number): Outcome {
  return status.started !== null && now - status.started >= facts.thresholdMs ? DONE : PENDING;
}

function failed({ status: { lastExit, nextStart }, facts }: ToldStatus, asker = ""): Outcome {
  if (lastExit === null) return { type: "failed", reason: "it ended" };
  const { exit, livedMs, at } = lastExit;
  const lived = livedMs === null ? "" : ` after ${Number((livedMs / 1000).toPrecision(2))} s`;
  const said = facts.stderr.length === 0 ? "" : `; it wrote: ${facts.stderr.join(" | ")}`;
  const next = nextStart === null ? "" : `; next start ${describeSpan(Math.max(0, nextStart - at))} later`;
  return { type: "failed", reason: `${asker}${describeExit(exit)}${lived}${said}${next}` };
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
