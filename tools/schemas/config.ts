import {
  KILL_SCOPES,
  MAX_ID,
  MAX_LOG_BYTES,
  MAX_LOG_KEEP,
  MAX_NOFILE,
  MIN_LOG_BYTES,
  STOP_SIGNALS,
} from "@ncolony/core";
import { integer, object, orNull } from "./parts.ts";

const MAX_SECONDS = 1e9;

/** What the kernel can pass on: no NUL, and no half of a surrogate pair. */
const TEXT = { type: "string", pattern: "^[^\\u0000\\ud800-\\udfff]*$" };
const VARIABLE = "^[^=\\u0000\\ud800-\\udfff]+$";
const PATH = { type: "string", pattern: "^/[^\\u0000\\ud800-\\udfff]*$" };
const ACCOUNT = "^[^,:\\u0000\\ud800-\\udfff]+$";
const ID = { type: ["integer", "null"], minimum: 0, maximum: MAX_ID };
const SECONDS = { type: "number", minimum: 0, maximum: MAX_SECONDS };
const PERIOD = { type: "number", minimum: 0.01, maximum: MAX_SECONDS };

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

/** The schema of a config. */
export const CONFIG = {
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
