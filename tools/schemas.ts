/**
 * Writes the JSON Schemas of configs, messages, status files and events to `core/schemas`, which is published, and to
 * `docs/schemas`.
 *
 * @module
 */

import {
  KILL_SCOPES,
  MAX_ID,
  MAX_LOG_BYTES,
  MAX_LOG_KEEP,
  MAX_NOFILE,
  MIN_LOG_BYTES,
  STOP_SIGNALS,
} from "@ncolony/core";
import { ensureDirSync } from "@std/fs/ensure-dir";
import { dirname, fromFileUrl, join } from "@std/path";

const root = dirname(dirname(fromFileUrl(import.meta.url)));

/** Where the schemas are. */
const PLACES = ["core/schemas", "docs/schemas"];

const MAX_SECONDS = 1e9;

/** What the kernel can pass on: no NUL, and no half of a surrogate pair. */
const TEXT = { type: "string", pattern: "^[^\\u0000\\ud800-\\udfff]*$" };
const VARIABLE = "^[^=\\u0000\\ud800-\\udfff]+$";
const PATH = { type: "string", pattern: "^/[^\\u0000\\ud800-\\udfff]*$" };
const ACCOUNT = "^[^,:\\u0000\\ud800-\\udfff]+$";
const ID = { type: ["integer", "null"], minimum: 0, maximum: MAX_ID };
const SECONDS = { type: "number", minimum: 0, maximum: MAX_SECONDS };
const PERIOD = { type: "number", minimum: 0.01, maximum: MAX_SECONDS };

function integer(minimum: number, maximum: number): object {
  return { type: "integer", minimum, maximum };
}

function object(properties: Readonly<Record<string, object>>, required: readonly string[] = []): object {
  return { type: "object", properties, ...(required.length > 0 ? { required } : {}), additionalProperties: false };
}

function orNull(schema: object): object {
  return { anyOf: [{ type: "null" }, schema] };
}

/** Returns alternatives for the numbers, written without leading zeros, that are not less than one. */
function atLeast(min: number): string {
  const digits = `${min}`;
  const larger = [...digits].flatMap((digit, at) => {
    return digit === "9" ? [] : [`${digits.slice(0, at)}[${Number(digit) + 1}-9]\\d{${digits.length - at - 1}}`];
  });
  return [digits, ...larger, `[1-9]\\d{${digits.length},}`].join("|");
}

/** Returns alternatives for the numbers from 1, written without leading zeros, that are not greater than one. */
function atMost(max: number): string {
  const digits = `${max}`;
  const smaller = [...digits].flatMap((digit, at) => {
    const least = at === 0 ? 1 : 0;
    const range = Number(digit) - 1;
    return range < least ? [] : [`${digits.slice(0, at)}[${least}-${range}]\\d{${digits.length - at - 1}}`];
  });
  const shorter = digits.length === 1 ? [] : [`[1-9]\\d{0,${digits.length - 2}}`];
  return [digits, ...smaller, ...shorter].join("|");
}

/** A number of bytes as a text, from 2^18 to 2^50. It has at most 15 digits. */
function memoryText(): object {
  const ranges = ["", "K", "M", "G", "T"].map((unit, power) => {
    const [min, max] = [Math.max(1, 2 ** (18 - 10 * power)), 2 ** (50 - 10 * power)];
    return { allOf: [{ pattern: `^0*(?:${atLeast(min)})${unit}$` }, { pattern: `^0*(?:${atMost(max)})${unit}$` }] };
  });
  return { type: "string", pattern: "^\\d{1,15}[KMGT]?$", anyOf: ranges };
}

const MONITOR = {
  ...object({
    cwd: { description: "the working directory [the monitor's]", ...PATH },
    daemonizes: { description: "its first process may exit with 0 and leave others that go on", type: "boolean" },
    enabled: { description: "whether it runs [true]", type: "boolean" },
    groups: {
      description: "supplementary groups, by name or id",
      type: "array",
      items: { anyOf: [{ type: "string", pattern: ACCOUNT }, integer(0, MAX_ID)] },
    },
    kill_scope: { description: 'what ends with the process ["all"]', enum: KILL_SCOPES },
    kill_time: { description: "seconds from the stop signal to SIGKILL [5]", ...SECONDS },
    limits: orNull(object({
      cpu: { description: "processors", type: "number", minimum: 0.01, maximum: 10_000 },
      memory: { description: 'bytes, such as "512M"', anyOf: [integer(2 ** 18, 2 ** 50), memoryText()] },
      pids: { description: "processes and threads", ...integer(1, 2 ** 22) },
    })),
    log: {
      description: "its log file below --logs; false: none",
      anyOf: [
        { enum: [false, null] },
        object({
          keep: integer(0, MAX_LOG_KEEP),
          size: integer(MIN_LOG_BYTES, MAX_LOG_BYTES),
          time: { type: "boolean" },
        }),
      ],
    },
    nice: { description: "the niceness", ...integer(-20, 19) },
    nofile: { description: "the soft limit of open files", ...integer(1, MAX_NOFILE) },
    oom_score_adj: { description: "how readily the kernel kills it when memory runs out", ...integer(-1000, 1000) },
    stop_signal: { description: 'the signal that asks it to stop ["SIGTERM"]', enum: STOP_SIGNALS },
    umask: { description: 'the umask in octal, such as "0027"', type: "string", pattern: "^0?[0-7]{1,3}$" },
    user: {
      description: "the name of the user to run as, with its groups",
      type: "string",
      pattern: ACCOUNT,
      not: { pattern: "^\\d+$" },
    },
  }),
  description: "how the monitor runs it",
  if: { required: ["daemonizes"], properties: { daemonizes: { const: true } } },
  then: { properties: { kill_scope: { enum: ["cgroup", "all"] } } },
};

const CONFIG = {
  title: "A process of NColony",
  description: "A file in the config directory. Its name is the name of the process. Other keys are extras.",
  type: "object",
  required: ["args"],
  properties: {
    args: {
      description: "the command and its arguments; no shell reads them",
      type: "array",
      minItems: 1,
      prefixItems: [{ ...TEXT, minLength: 1 }],
      items: TEXT,
    },
    env: {
      description: "its whole environment, but for what env_inherit names",
      type: "object",
      propertyNames: { pattern: VARIABLE },
      additionalProperties: TEXT,
    },
    env_inherit: {
      description: "the variables that it inherits from the monitor",
      type: "array",
      items: { type: "string", pattern: VARIABLE },
    },
    gid: { description: "the group id to run as", ...ID },
    group: { description: "the groups of processes that it is in, for restart-group", type: "array", items: TEXT },
    uid: { description: "the user id to run as", ...ID },
    "ncolony.monitor": MONITOR,
    "ncolony.beatcheck": {
      description: "how often it must touch its heartbeat file",
      ...orNull(
        object({ grace: SECONDS, period: PERIOD, status: { ...TEXT, minLength: 1 } }, ["period", "grace", "status"]),
      ),
    },
    "ncolony.httpcheck": {
      description: "how it is asked over HTTP whether it is well",
      ...orNull(httpCheck()),
    },
  },
  // "user" brings its own ids.
  if: { required: ["ncolony.monitor"], properties: { "ncolony.monitor": { type: "object", required: ["user"] } } },
  then: { properties: { uid: { type: "null" }, gid: { type: "null" } } },
};

function httpCheck(): object {
  const status = integer(100, 599);
  const keys = {
    ca: PATH,
    expect: { anyOf: [{ const: "any" }, status, { type: "array", minItems: 1, items: status }] },
    grace: SECONDS,
    headers: {
      type: "object",
      propertyNames: {
        pattern: "^[A-Za-z0-9_!#$%&'*+.^`|~\\-]+$",
        not: {
          pattern:
            "^(?:[Cc][Oo][Nn][Nn][Ee][Cc][Tt][Ii][Oo][Nn]|[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-[Ll][Ee][Nn][Gg][Tt][Hh]|[Ee][Xx][Pp][Ee][Cc][Tt]|[Tt][Ee]|[Tt][Rr][Aa][Ii][Ll][Ee][Rr]|[Tt][Rr][Aa][Nn][Ss][Ff][Ee][Rr]-[Ee][Nn][Cc][Oo][Dd][Ii][Nn][Gg]|[Uu][Pp][Gg][Rr][Aa][Dd][Ee])$",
        },
      },
      additionalProperties: { type: "string", pattern: "^[\\t\\x20-\\x7e\\x80-\\xff]*$" },
    },
    insecure: { type: "boolean" },
    maxBad: integer(0, MAX_SECONDS),
    period: PERIOD,
    timeout: PERIOD,
    unix: PATH,
    url: { ...TEXT, allOf: [{ pattern: "^[Hh][Tt][Tt][Pp][Ss]?://" }] },
  };
  const https = { properties: { url: { pattern: "^[Hh][Tt][Tt][Pp][Ss]:" }, insecure: { const: false } } };
  return { ...object(keys, ["url", "period", "timeout", "grace", "maxBad"]), if: { required: ["ca"] }, then: https };
}

const MESSAGE = {
  title: "A message to a monitor of NColony",
  description: "A file in the messages directory. Other keys are ignored.",
  type: "object",
  required: ["type"],
  properties: {
    type: { enum: ["RESTART", "restart", "RESTART-ALL", "restart-all", "RESTART-GROUP", "restart-group"] },
    from: { description: "who sends it: a string" },
    reason: { description: "why: a string" },
    incarnation: { description: "the start of the process that it is meant for: an integer" },
  },
  allOf: [
    {
      if: { properties: { type: { enum: ["RESTART", "restart"] } } },
      then: {
        if: { required: ["name"] },
        then: { properties: { name: { description: "the process to restart", type: "string" } } },
        else: { required: ["value"], properties: { value: { description: "like name", type: "string" } } },
      },
    },
    {
      if: { properties: { type: { enum: ["RESTART-GROUP", "restart-group"] } } },
      then: { required: ["group"], properties: { group: { description: "the group to restart", type: "string" } } },
    },
  ],
};

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

const STATUS = {
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

const EVENT = {
  title: "An event of a colony of NColony",
  description: "A line of .events in the status directory. Times are UTC, durations in seconds.",
  oneOf: Object.entries(EVENTS).map(([event, [keys, optional]]) => {
    const name = event.startsWith("monitor-") ? { type: "null" } : STRING;
    return whole({ id: EVENT_ID, name, at: TIME, event: { const: event }, ...keys }, optional);
  }),
};

/** The schemas, by name. */
export const SCHEMAS: Readonly<Record<string, object>> = Object.fromEntries(
  Object.entries({ config: CONFIG, message: MESSAGE, status: STATUS, event: EVENT }).map(([name, schema]) => [name, {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: `https://jsr.io/@ncolony/core/schemas/${name}.schema.json`,
    ...schema,
  }]),
);

/** Returns the files of the schemas, by path, with their texts. */
export function schemaFiles(): Record<string, string> {
  return Object.fromEntries(
    PLACES.flatMap((place) =>
      Object.entries(SCHEMAS).map(([name, schema]) => [
        join(root, place, `${name}.schema.json`),
        `${JSON.stringify(schema, null, 2)}\n`,
      ])
    ),
  );
}

if (import.meta.main) {
  for (const place of PLACES) ensureDirSync(join(root, place));
  for (const [path, text] of Object.entries(schemaFiles())) Deno.writeTextFileSync(path, text);
}
