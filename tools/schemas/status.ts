import { KILL_SCOPES } from "@ncolony/core";
import { object, orNull } from "./parts.ts";

const TIME = { type: "string", pattern: "^\\d{4,}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$" };
const COUNT = { type: "integer", minimum: 0 };
const DURATION = { type: "number", minimum: 0 };
const STRING = { type: "string" };
const STRINGS = { type: "array", items: STRING };

function whole(properties: Readonly<Record<string, object>>, optional: Readonly<Record<string, object>> = {}): object {
  return object({ ...properties, ...optional }, Object.keys(properties));
}

const EXIT = {
  type: { enum: ["code", "signal", "failed", "unknown"] },
  code: orNull({ type: "integer" }),
  signal: orNull(STRING),
  reason: orNull(STRING),
  lived: orNull(DURATION),
  asked: { type: "boolean" },
};

const CAUSE = orNull(whole({
  kind: { enum: ["config", "message", "monitor", "exit", "delay"] },
  message: orNull(STRING),
  from: orNull(STRING),
  reason: orNull(STRING),
  keys: orNull(STRINGS),
}, { messages: STRINGS }));

const PROBLEM = {
  message: STRING,
  field: orNull(STRING),
  line: orNull({ type: "integer", minimum: 1 }),
  column: orNull({ type: "integer", minimum: 1 }),
};

const EVENT_ID = { type: "integer", minimum: 1 };
const PID = { type: "integer", minimum: 1 };

/** The schema of the status of a process. */
export const STATUS = {
  title: "The status of a process of NColony",
  description: "A file in the status directory. Times are UTC, durations in seconds.",
  ...whole({
    version: { const: 1 },
    name: STRING,
    state: { enum: ["running", "waiting", "stopping", "killing", "disabled", "invalid", "stopped", "removed"] },
    since: TIME,
    pid: orNull(PID),
    incarnation: COUNT,
    starts: COUNT,
    started: orNull(TIME),
    threshold: DURATION,
    delay: orNull(DURATION),
    next_start: orNull(TIME),
    kill_at: orNull(TIME),
    waits_for: orNull(STRING),
    scope: orNull({ enum: KILL_SCOPES.filter((scope) => scope !== "all") }),
    last_exit: orNull(whole({ ...EXIT, at: TIME, stderr: STRINGS })),
    exits: whole({ asked: COUNT, success: COUNT, error: COUNT, signal: COUNT, not_started: COUNT, unknown: COUNT }),
    cause: CAUSE,
    problem: orNull(whole({ ...PROBLEM, since: TIME })),
    config_sha256: orNull({ type: "string", pattern: "^[0-9a-f]{64}$" }),
    last_event: orNull(EVENT_ID),
  }),
};

/** The keys of each event, in addition to those that all have. */
const EVENTS: Readonly<
  Record<string, readonly [keys: Readonly<Record<string, object>>, optional?: Readonly<Record<string, object>>]>
> = {
  started: [{ pid: PID, incarnation: COUNT, cause: CAUSE }],
  exited: [{ incarnation: COUNT, ...EXIT }, { cause: CAUSE }],
  waiting: [{ delay: DURATION, next_start: TIME }],
  "stop-requested": [{ cause: CAUSE }],
  killed: [{}],
  problem: [PROBLEM],
  "problem-gone": [{}],
  disabled: [{}],
  removed: [{}],
  "monitor-started": [{ pid: PID }],
  "monitor-stopped": [{ pid: PID }],
};

/** The schema of an event. */
export const EVENT = {
  title: "An event of a colony of NColony",
  description: "A line of .events in the status directory. Times are UTC, durations in seconds.",
  oneOf: Object.entries(EVENTS).map(([event, [keys, optional]]) => {
    const name = event.startsWith("monitor-") ? { type: "null" } : STRING;
    return whole({ id: EVENT_ID, name, at: TIME, event: { const: event }, ...keys }, optional);
  }),
};
