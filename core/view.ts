/**
 * What all processes of a colony look like at one moment, for `ctl status`, for metrics and for the page.
 *
 * @module
 */

import { type Health, healthsJson } from "./health.ts";
import type { Job } from "./job.ts";
import { type JsonObject, ownValue } from "./json.ts";
import { whyStopping } from "./stale.ts";
import { isAtRest, type Status } from "./status.ts";
import type { ToldStatus } from "./status_json.ts";
import { describeSpan, shouldRun, type Verdict } from "./verdict.ts";
import { visible } from "./visible.ts";

/** How many processes the summary tells about. */
const MAX_TOLD = 3;

/** How the monitor and the processes are, at one moment. */
export interface View {
  /** That moment, in milliseconds since 1970. */
  readonly now: number;
  /** Whether the monitor lives. Null if that cannot be seen. */
  readonly isAlive: boolean | null;
  /** Why all may be old, as a sentence. Null if it is not. */
  readonly stale: string | null;
  /** The content of `STATUS/.monitor`. */
  readonly monitor: JsonObject;
  /** The content of `STATUS/.usage`. */
  readonly usage: JsonObject;
  /** What schedulers report about their jobs, sorted by name. */
  readonly jobs: readonly Job[];
  /** The processes, sorted by name. */
  readonly processes: readonly Seen[];
}

/** What a status directory tells about one process. */
export interface ToldProcess extends ToldStatus {
  /** The text of its file. */
  readonly text: string;
}

/** A process, and what is wrong with it. */
export interface Seen extends ToldProcess {
  /** What checkers report, by their names. */
  readonly healths: ReadonlyMap<string, Health>;
  /** What is wrong with it, as {@linkcode judge} says. */
  readonly fault: Verdict;
}

/** Whether a colony is well: the exit code of `ctl status` is 0. */
export function isWell({ isAlive, stale, processes }: View): boolean {
  return isAlive !== false && stale === null && processes.every(({ fault }) => fault === null);
}

/** Whether nobody knows what became of a process, because the monitor is gone. */
export function isUnknown({ isAlive }: Pick<View, "isAlive">, { status }: Pick<Seen, "status">): boolean {
  return isAlive === false && !isAtRest(status);
}

/** Returns the document of `ctl status --json`. */
export function viewJson(view: View): JsonObject {
  const { isAlive, monitor, processes } = view;
  return {
    version: 1,
    monitor: { ...monitor, alive: isAlive },
    processes: processes.map((seen) => processJson(view, seen)),
  };
}

/** Returns what that document has about a process. */
export function processJson(view: Pick<View, "isAlive" | "usage">, seen: Seen): JsonObject {
  return {
    ...JSON.parse(seen.text),
    ...addedTo(view, seen),
  };
}

/** Returns the same as one line of JSON. */
export function processText(view: Pick<View, "isAlive" | "usage">, seen: Seen): string {
  const text = seen.text.trim();
  // The file is an object of one line, unless another program wrote it. To parse a thousand of them takes long.
  const told = text.includes("\n") ? JSON.stringify(JSON.parse(text)) : text;
  return `${told.slice(0, -1)},${JSON.stringify(addedTo(view, seen)).slice(1)}`;
}

/** What is added to the content of a process's file. */
function addedTo(view: Pick<View, "isAlive" | "usage">, seen: Seen): JsonObject {
  const usage = ownValue(view.usage, seen.status.name) ?? null;
  return { health: healthsJson(seen.healths), usage, fault: faultIn(view, seen) };
}

/** Returns what is wrong with a process. Null if nothing is, or if nobody knows what became of it. */
export function faultIn(view: Pick<View, "isAlive">, seen: Pick<Seen, "status" | "fault">): Verdict {
  return isUnknown(view, seen) ? null : seen.fault;
}

/** Tells how a colony is, in sentences. The monitor is gone, or stuck, or some processes are not well. */
export function summaries(view: View): string[] {
  if (view.isAlive === false) return [whoIsGone(view)];
  return [summary(view), whyStopping(view.monitor, view.now), view.stale].filter((sentence) => sentence !== null);
}

/** `3 of 4 run; crash waits 32 s (exit code 3, 5th death in a row); db is stopping (SIGKILL in 7 s); 2 are disabled`. */
function summary({ processes, now }: View): string {
  const wanted = processes.filter(({ status }) => shouldRun(status));
  const running = wanted.filter(({ status }) => status.state === "running");
  const disabled = processes.filter(({ status }) => status.state === "disabled").length;
  const wrong = processes.filter(({ fault }) => fault !== null);
  const stopping = wanted.filter(({ status, fault }) => fault === null && status.killAt !== null);
  const told = [
    ...wrong.map(({ status, fault }) => `${status.name} ${fault}`),
    ...stopping.map(({ status }) => `${status.name} is stopping (${untilKilled(status, now)})`),
  ];
  return [
    `${running.length} of ${wanted.length} run`,
    ...told.slice(0, MAX_TOLD).map(visible),
    ...told.length > MAX_TOLD ? [`and ${told.length - MAX_TOLD} more`] : [],
    ...disabled > 0 ? [`${disabled} ${disabled === 1 ? "is" : "are"} disabled`] : [],
  ].join("; ");
}

function whoIsGone({ monitor: { stopped, last_scan }, now }: View): string {
  const ago = (iso: string) => describeSpan(Math.max(0, now - Date.parse(iso)));
  if (typeof stopped === "string") return `The monitor is not running: it stopped ${ago(stopped)} ago.`;
  const seen = typeof last_scan === "string" ? ` It was last seen ${ago(last_scan)} ago.` : "";
  return `The monitor is not running, and did not shut down cleanly: its processes may still be running.${seen}`;
}

/** Tells when a process that is stopping will be sent SIGKILL. Null if it will not. */
export function untilKilled({ killAt }: Pick<Status, "killAt">, now: number): string | null {
  return killAt === null ? null : `SIGKILL in ${describeSpan(Math.max(0, killAt - now))}`;
}

/** Returns one word for how a process last ended: `0`, `SIGKILL`, `no start`, `unknown`. Null if it never did. */
export function exitWord({ lastExit }: Pick<Status, "lastExit">): string | null {
  switch (lastExit?.exit.type) {
    case undefined:
      return null;
    case "code":
      return `${lastExit!.exit.code}`;
    case "signal":
      return lastExit!.exit.signal;
    case "failed":
      return "no start";
    default:
      return "unknown";
  }
}
