import { describeExit, describeSpan, isObject, type Json, type JsonObject, parseExit } from "@ncolony/core";

/** Tells an event of `STATUS/.history/NAME` in a sentence, without its time. Unknown events are named. */
export function sentenceOf(name: string, happened: JsonObject): string {
  const { event, cause } = happened;
  switch (event) {
    case "started":
      return `${name} was started as pid ${happened.pid} (start ${happened.incarnation})${because(cause, "started")}.`;
    case "exited":
      return `${name} ${ended(happened)}${happened.asked === true ? ", as it was asked to" : ""}.`;
    case "waiting":
      return `${name} waits ${span(happened.delay)}, until ${moment(happened.next_start)}.`;
    case "stop-requested":
      return `${name} was asked to stop${because(cause, "ended")}.`;
    case "killed":
      return `${name} did not end in time, and was sent SIGKILL.`;
    case "problem":
      return `The config file of ${name} became invalid, and is not in force: ${happened.message}.`;
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
  const how = exit === null
    ? "ended"
    : exit.type === "signal"
    ? `was ended by ${exit.signal}`
    : `ended: ${describeExit(exit)}`;
  return typeof happened.lived === "number" ? `${how} after ${span(happened.lived)}` : how;
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
      return ", because its restart delay was over";
    case "config":
      return Array.isArray(cause.keys)
        ? `, because its config changed: ${cause.keys.join(", ")}`
        : monitor === "started"
        ? ", because its config was added"
        : ", because its config was removed or disabled";
    case "message": {
      const from = typeof cause.from === "string" ? cause.from : "somebody";
      const reason = typeof cause.reason === "string" ? `: ${cause.reason}` : "";
      return `, because ${from} asked for it${reason}`;
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
