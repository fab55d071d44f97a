/**
 * The files of a status directory, as text.
 *
 * @module
 */

import type { Cause } from "./cause.ts";
import { parseExitCounts } from "./exit_counts.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";
import { count, iso, milliseconds, objectIn, seconds, textOf, texts, time } from "./json_values.ts";
import {
  type HistoryEvent,
  type LastExit,
  newStatus,
  type Status,
  STATUS_STATES,
  type StatusProblem,
} from "./status.ts";
import { type Exit, SCOPE_WIDTHS } from "./types.ts";

/** What {@linkcode formatStatus} adds to a status. */
export interface StatusFacts {
  /** A process that exits sooner than this after its start has crashed, in milliseconds. */
  readonly thresholdMs: number;
  /** The last lines that it wrote to stderr before it ended unasked. */
  readonly stderr: readonly string[];
  /** The SHA-256 of its config, in hexadecimal. Null if it has none. */
  readonly sha256: string | null;
  /** The id of the last event that it tells the result of. Null if there was none. */
  readonly lastEvent: number | null;
}

/** Formats a file `STATUS/NAME`. Times become ISO 8601, durations become seconds. */
export function formatStatus(status: Status, { thresholdMs, stderr, sha256, lastEvent }: StatusFacts): string {
  const { name, state, since, pid, incarnation, started, delayMs, nextStart, killAt, waitsFor, scope, problem } =
    status;
  return JSON.stringify({
    version: 1,
    name,
    state,
    since: iso(since),
    pid,
    incarnation,
    starts: incarnation,
    started: iso(started),
    threshold: seconds(thresholdMs),
    delay: seconds(delayMs),
    next_start: iso(nextStart),
    kill_at: iso(killAt),
    waits_for: waitsFor,
    scope,
    last_exit: status.lastExit === null ? null : { ...exitJson(status.lastExit), stderr: [...stderr] },
    exits: { ...status.exits },
    cause: causeJson(status.cause),
    problem: problem === null ? null : { ...problem, since: iso(problem.since) },
    config_sha256: sha256,
    last_event: lastEvent,
  });
}

/** Formats one event of `STATUS/.history/NAME`. */
export function formatEvent(happened: HistoryEvent, at: number): string {
  return JSON.stringify({ at: iso(at), ...eventJson(happened) });
}

function eventJson(happened: HistoryEvent): JsonObject {
  switch (happened.event) {
    case "started":
    case "stop-requested":
      return { ...happened, cause: causeJson(happened.cause) };
    case "exited": {
      const { at: _at, ...exit } = exitJson(happened.last);
      const why: JsonObject = happened.cause === null ? {} : { cause: causeJson(happened.cause) };
      return { event: "exited", incarnation: happened.incarnation, ...exit, ...why };
    }
    case "waiting":
      return { event: "waiting", delay: seconds(happened.delayMs), next_start: iso(happened.nextStart) };
    case "problem": {
      const { since: _since, ...problem } = happened.problem;
      return { event: "problem", ...problem };
    }
    default:
      return { ...happened };
  }
}

/** Formats a file `STATUS/.history/NAME` from formatted events and the last lines of stderr. */
export function formatHistory(events: readonly string[], stderr: readonly string[]): string {
  return `{"version":1,"history":[${events.join(",")}],"stderr":${JSON.stringify(stderr)}}`;
}

function exitJson({ exit, at, livedMs, isAsked }: LastExit): JsonObject {
  return {
    type: exit.type,
    code: exit.type === "code" ? exit.code : null,
    signal: exit.type === "signal" ? exit.signal : null,
    reason: exit.type === "failed" || exit.type === "unknown" ? exit.reason : null,
    at: iso(at),
    lived: seconds(livedMs),
    asked: isAsked,
  };
}

function causeJson(cause: Cause | null): Json {
  if (cause === null) return null;
  const { kind } = cause;
  const json = { kind, message: null, from: null, reason: null, keys: null };
  if (kind === "config") {
    return { ...json, reason: cause.reason ?? null, keys: cause.keys === null ? null : [...cause.keys] };
  }
  if (kind === "monitor") return { ...json, reason: cause.reason ?? null };
  if (kind !== "message") return json;
  const { messages, from, reason } = cause;
  return { ...json, message: messages.at(-1) ?? null, from, reason, messages: [...messages] };
}

/** What a file `STATUS/NAME` tells. */
export interface ToldStatus {
  /** The status, without the text of the config. */
  readonly status: Status;
  /** As in {@linkcode StatusFacts}. */
  readonly facts: StatusFacts;
}

/** Parses a file `STATUS/NAME`. Null if it is none. Whatever is not as it should be counts as absent. Never throws. */
export function parseStatus(text: string): ToldStatus | null {
  const told = parse(text);
  if (told === null || typeof told.name !== "string") return null;
  const last = isObject(told.last_exit) ? told.last_exit : null;
  const incarnation = count(told.incarnation) ?? 0;
  const status: Status = {
    ...newStatus(told.name, time(told.since) ?? 0),
    state: STATUS_STATES.find((state) => state === told.state) ?? "stopped",
    pid: count(told.pid),
    incarnation,
    started: time(told.started),
    scope: SCOPE_WIDTHS.find((scope) => scope === told.scope) ?? null,
    delayMs: milliseconds(told.delay),
    nextStart: time(told.next_start),
    killAt: time(told.kill_at),
    waitsFor: textOf(told.waits_for),
    lastExit: last === null ? null : parseLastExit(last),
    exits: parseExitCounts(told.exits),
    cause: isObject(told.cause) ? parseCause(told.cause) : null,
    problem: isObject(told.problem) ? parseProblem(told.problem) : null,
  };
  const thresholdMs = milliseconds(told.threshold) ?? 0;
  const [sha256, lastEvent] = [textOf(told.config_sha256), count(told.last_event)];
  return { status, facts: { thresholdMs, stderr: texts(last?.stderr), sha256, lastEvent } };
}

function parseCause({ kind, messages, from, reason, keys }: JsonObject): Cause | null {
  switch (kind) {
    case "message":
      return { kind, messages: texts(messages), from: textOf(from), reason: textOf(reason) };
    case "config":
      return { kind, keys: Array.isArray(keys) ? texts(keys) : null, ...why(reason) };
    case "monitor":
      return { kind, ...why(reason) };
    case "exit":
    case "delay":
      return { kind };
    default:
      return null;
  }
}

function why(reason: Json | undefined): { readonly reason?: string } {
  return typeof reason === "string" ? { reason } : {};
}

function parseProblem({ message, field, line, column, since }: JsonObject): StatusProblem {
  return {
    message: textOf(message) ?? "",
    field: textOf(field),
    line: count(line),
    column: count(column),
    since: time(since) ?? 0,
  };
}

/** Parses a file `STATUS/.history/NAME` into formatted events and lines of stderr. Never throws. */
export function parseSavedHistory(text: string): { readonly events: string[]; readonly stderr: string[] } {
  const saved = parse(text);
  const events = Array.isArray(saved?.history) ? saved.history.filter(isObject) : [];
  return { events: events.map((event) => JSON.stringify(event)), stderr: texts(saved?.stderr) };
}

function parse(text: string): JsonObject | null {
  const value = objectIn(text);
  return value?.version === 1 ? value : null;
}

/** Parses how a process ended, from the keys of `last_exit`. Null if they do not tell. */
export function parseExit({ type, code, signal, reason }: JsonObject): Exit | null {
  if (type === "code" && typeof code === "number") return { type, code };
  if (type === "signal" && typeof signal === "string") return { type, signal };
  return (type === "failed" || type === "unknown") && typeof reason === "string" ? { type, reason } : null;
}

function parseLastExit(last: JsonObject): LastExit | null {
  const [exit, at] = [parseExit(last), time(last.at)];
  if (exit === null || at === null) return null;
  return { exit, at, livedMs: milliseconds(last.lived), isAsked: last.asked === true };
}
