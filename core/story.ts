import { describeExit } from "./describe.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";
import { parseExit } from "./status_json.ts";
import { describeSpan } from "./verdict.ts";

/** Tells an event of `STATUS/.history/NAME` in a sentence, without its time. Unknown events are named. */
export function sentenceOf(name: string, happened: JsonObject): string {
  const { event, cause } = happened;
  switch (event) {
    case "started":
      return `${name} was started as pid ${happened.pid} (start ${happened.incarnation})${because(cause, "started")}.`;
    case "exited":
      return `${name} ${ended(happened)}.`;
    case "waiting":
      return `${name} waits ${span(happened.delay)}, until ${moment(happened.next_start)}.`;
    case "stop-requested":
      return `${name} was asked to ${isRequest(cause) ? "restart" : "stop"}${because(cause, "ended")}.`;
    case "killed":
      return `${name} did not end in time and was sent SIGKILL.`;
    case "problem":
      return `The config file of ${name} is invalid and not in use: ${happened.message}.`;
    case "problem-gone":
      return `The config file of ${name} is valid again.`;
    case "disabled":
      return `${name} was disabled.`;
    case "removed":
      return `The config file of ${name} was removed.`;
    default:
      return `${name}: ${event}.`;
  }
}

function ended(happened: JsonObject): string {
  const exit = parseExit(happened);
  if (exit?.type === "failed") return `could not be started: ${exit.reason}`;
  const after = typeof happened.lived === "number" ? ` after ${span(happened.lived)}` : "";
  const isAsked = happened.asked === true;
  switch (exit?.type) {
    case "code":
      return `exited with ${exit.code}${after}${isAsked ? ", as it was asked to" : ""}`;
    case "signal":
      return `was ended by ${exit.signal}${after}${isAsked ? "" : ", which the monitor did not send"}`;
    default:
      return `ended${after}: ${exit === undefined || exit === null ? "nobody knows how" : describeExit(exit)}`;
  }
}

/** Whether a message asked for it. Messages can only ask for restarts. */
function isRequest(cause: Json | undefined): cause is JsonObject {
  return isObject(cause) && cause.kind === "message";
}

/** Tells a cause as the end of a sentence. `monitor` is what the monitor did if that is the cause. */
function because(cause: Json | undefined, monitor: string): string {
  if (!isObject(cause)) return "";
  switch (cause.kind) {
    case "monitor":
      return typeof cause.reason === "string" ? `, because ${cause.reason}` : `, because the monitor ${monitor}`;
    case "exit":
      return ", because it had exited";
    case "delay":
      return " after its restart delay";
    case "config":
      return Array.isArray(cause.keys)
        ? `, because its config changed: ${cause.keys.join(", ")}`
        : monitor === "started"
        ? ", because its config was added"
        : `, because its config was ${typeof cause.reason === "string" ? cause.reason : "removed or disabled"}`;
    case "message": {
      const from = typeof cause.from === "string" ? cause.from : "a message";
      const reason = typeof cause.reason === "string" ? ` (${cause.reason})` : "";
      return monitor === "started" ? `, as ${from} had asked${reason}` : ` by ${from}${reason}`;
    }
    default:
      return "";
  }
}

function span(seconds: Json | undefined): string {
  if (typeof seconds !== "number") return "an unknown time";
  return seconds < 10 ? `${Number(seconds.toPrecision(2))} s` : describeSpan(seconds * 1000);
}

/** Formats a time as `2026-01-31 03:00:44Z`, so that it can be found in the log. */
export function moment(iso: Json | undefined): string {
  return typeof iso === "string" ? iso.replace("T", " ").replace(/\.\d+Z$/, "Z") : "an unknown time";
}
