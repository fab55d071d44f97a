/**
 * The events of a colony: those that the monitor records in `STATUS/.events`, and those that only a reader notices.
 *
 * @module
 */

import type { Health } from "./health.ts";
import type { JsonObject } from "./json.ts";
import { count, iso, objectIn, textOf, time } from "./json_values.ts";
import { shownText } from "./shown.ts";
import { parseExit } from "./status_json.ts";
import { moment, sentenceOf } from "./story.ts";
import { describeDeath } from "./verdict.ts";

/** An event of a colony. Its other keys are those of an event of `STATUS/.history/NAME`. */
export interface ToldEvent extends JsonObject {
  /** Identifies a recorded event. It grows from one to the next. Null if it is not recorded. */
  readonly id: number | null;
  /** The name of the process. Null if it is about the monitor. */
  readonly name: string | null;
  /** When it happened, in ISO 8601. */
  readonly at: string;
  /** What happened. */
  readonly event: string;
}

/** A line of `STATUS/.events`. */
export interface RecordedEvent extends ToldEvent {
  /** As in {@linkcode ToldEvent}. */
  readonly id: number;
}

/** An id is a time in milliseconds, or a little more. No time is later than this. */
const MAX_EVENT_ID = 8.64e15;

/** In an event that is longer than this, in characters, long texts and lists are shortened. */
const MAX_EVENT = 32_768;

/** How much is kept of a list that is shortened. */
const MAX_ITEMS = 10;

/**
 * Returns the id of the next event: the time, unless an earlier event has it, or a later one. So ids grow even if the
 * clock is set back, or if the file is lost.
 *
 * @param last The id of the last event. 0 if there was none.
 * @param now The time, in milliseconds since 1970.
 */
export function nextEventId(last: number, now: number): number {
  return Math.max(last + 1, Math.trunc(now));
}

/**
 * Formats a line of `STATUS/.events`, with its newline.
 *
 * @param name The name of the process. Null if the event is about the monitor.
 * @param formatted The event as `formatEvent()` or {@linkcode formatMonitorEvent} returns it.
 */
export function formatRecorded(id: number, name: string | null, formatted: string): string {
  const event = formatted.length <= MAX_EVENT ? formatted : shortened(formatted);
  return `{"id":${id},"name":${JSON.stringify(name)},${event.slice(1)}\n`;
}

function shortened(formatted: string): string {
  return JSON.stringify(JSON.parse(formatted, (_key, value) => {
    if (typeof value === "string") return shownText(value);
    return Array.isArray(value) ? value.slice(-MAX_ITEMS) : value;
  }));
}

/** Formats an event of the monitor itself. `at`: in milliseconds since 1970. */
export function formatMonitorEvent(event: "monitor-started" | "monitor-stopped", pid: number, at: number): string {
  return JSON.stringify({ at: iso(at), event, pid });
}

/** Parses a line of `STATUS/.events`. Null if it is none. Never throws. */
export function parseRecorded(line: string): RecordedEvent | null {
  const told = objectIn(line);
  if (told === null) return null;
  const [id, name] = [count(told.id), told.name];
  const isWhole = id !== null && id <= MAX_EVENT_ID && (name === null || textOf(name) !== null) &&
    time(told.at) !== null && textOf(told.event) !== null;
  return isWhole ? told as RecordedEvent : null;
}

/** Returns the event that a checker changed its mind about a process. */
export function healthEvent(checker: string, name: string, { isHealthy, since, reason }: Health): ToldEvent {
  const event = isHealthy ? "healthy" : "unhealthy";
  return { id: null, name, at: iso(since), event, check: checker, reason: reason === null ? null : shownText(reason) };
}

/** Returns the event that the monitor is gone without having stopped. `at`: when that was noticed. */
export function monitorGone(at: number): ToldEvent {
  return { id: null, name: null, at: iso(at), event: "monitor-gone" };
}

/** The events that are bad news, besides an end that nobody asked for. */
const BAD = ["unhealthy", "killed", "problem", "monitor-gone"];

/** Whether an event is that something went wrong. */
export function isBadEvent({ event, asked }: ToldEvent): boolean {
  return BAD.includes(event) || event === "exited" && asked !== true;
}

/** Returns the event that a process died so often in a row, the last time as an event `exited` tells. */
export function crashLoop({ name, at, type, code, signal, reason }: ToldEvent, deaths: number): ToldEvent {
  const exit = { type: type ?? null, code: code ?? null, signal: signal ?? null, reason: reason ?? null };
  return { id: null, name, at, event: "crash-loop", deaths, ...exit };
}

/** Returns the event that such a process has run for longer again. `at`: in milliseconds since 1970. */
export function crashLoopOver(name: string, at: number): ToldEvent {
  return { id: null, name, at: iso(at), event: "crash-loop-over" };
}

/** Tells an event in a line that begins with its time: `2026-01-31 03:00:44Z  web exited with 3 after 2.1 s.` */
export function eventLine(event: ToldEvent): string {
  return `${moment(event.at)}  ${eventSentence(event)}`;
}

/** Tells an event in a sentence, without its time. It can contain what could control a terminal. */
export function eventSentence({ name, ...event }: ToldEvent): string {
  const { check, reason } = event;
  const why = typeof reason === "string" ? `: ${reason}` : "";
  switch (event.event) {
    case "healthy":
      return `${name} is healthy (${check}${why}).`;
    case "unhealthy":
      return `${name} is unhealthy (${check}${why}).`;
    case "crash-loop":
      return `${name} is in a crash loop (${deathIn(event)}).`;
    case "crash-loop-over":
      return `${name} is no longer in a crash loop.`;
    case "monitor-started":
      return `The monitor was started as pid ${event.pid}.`;
    case "monitor-stopped":
      return `The monitor (pid ${event.pid}) has stopped.`;
    case "monitor-gone":
      return "The monitor is gone, and did not shut down cleanly: its processes may still be running.";
    default:
      return sentenceOf(name ?? "The monitor", event);
  }
}

function deathIn(event: JsonObject): string {
  return describeDeath(parseExit(event) ?? { type: "unknown", reason: "nobody knows how" }, count(event.deaths) ?? 0);
}
