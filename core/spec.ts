import { parseBytes } from "./bytes.ts";
import { parseConfig, throwing } from "./config_text.ts";
import { Fields, isVariable, MAX_SECONDS, type Report } from "./fields.ts";
import type { Json, JsonObject } from "./json.ts";
import { nameFault } from "./name.ts";
import { parseSurroundings, SURROUNDINGS_KEYS } from "./surroundings.ts";
import { KILL_SCOPES, type Limits, type LogLimits, type Spec, STOP_SIGNALS, type StopSignal } from "./types.ts";

/**
 * The longest config, in bytes of UTF-8. Linux allows 131,072 bytes for one environment string (MAX_ARG_STRLEN), which
 * must hold `NCOLONY_CONFIG=`, the text and a NUL.
 */
export const MAX_CONFIG_BYTES = 131_056;

/** The keys of `ncolony.monitor`. */
export const MONITOR_KEYS: readonly string[] = [
  "cwd",
  "daemonizes",
  "enabled",
  "kill_scope",
  "kill_time",
  "limits",
  "log",
  "stop_signal",
  ...SURROUNDINGS_KEYS,
].sort();

/** The least memory limit, in bytes: with less, no program could start. */
const MIN_MEMORY_BYTES = 2 ** 18;

/** The greatest memory limit, in bytes. */
const MAX_MEMORY_BYTES = 2 ** 50;

const MEMORY = `a number of bytes from ${MIN_MEMORY_BYTES} to ${MAX_MEMORY_BYTES}, such as "512M"`;

/** The least and the greatest limit of processors. */
const [MIN_CPUS, MAX_CPUS] = [0.01, 10_000];

/** The greatest limit of processes: the kernel has no more pids. */
const MAX_PIDS = 2 ** 22;

/** The smallest `size` of a log file, in bytes: a smaller file would be rotated all the time. */
export const MIN_LOG_BYTES = 4096;

/** The largest `size` of a log file, in bytes. */
export const MAX_LOG_BYTES = 2 ** 40;

/** The most old log files that are kept. */
export const MAX_LOG_KEEP = 1000;

/**
 * Parses a config file.
 *
 * Unknown top-level keys are allowed, with values of any type. Python NColony ignores `ncolony.monitor`. If a key
 * occurs twice, the last one counts, as in Python.
 *
 * @param name The name of the file, which becomes the name of the process.
 * @param source The text of the file.
 * @throws {SpecError} If the name or the text is invalid. The error names the field, and never shows a value that may
 * be secret.
 *
 * @example
 * ```ts
 * import { parseSpec } from "@ncolony/core";
 *
 * const spec = parseSpec("web", '{"args": ["httpd", "-f"], "env": {"PORT": "8080"}}');
 * if (spec.args[0] !== "httpd" || spec.stopSignal !== "SIGTERM") throw new Error("unexpected");
 * ```
 */
export function parseSpec(name: string, source: string): Spec {
  const report = throwing(name);
  checkText(name, source, report);
  return readSpec(name, source, parseConfig(name, source), report);
}

/** Checks all but the keys of a config. */
export function checkText(name: string, source: string, report: Report): void {
  const fault = nameFault(name);
  if (fault !== null) report(null, fault);
  if (!source.isWellFormed()) report(null, "must be well-formed Unicode");
  if (utf8Length(source) > MAX_CONFIG_BYTES) report(null, `must be at most ${MAX_CONFIG_BYTES} bytes`);
}

/** Reads the keys of a config. If one is invalid, reports that, and takes it to be missing. */
export function readSpec(name: string, source: string, object: JsonObject, report: Report): Spec {
  const config = new Fields(object, "", report);
  const monitor = new Fields(config.object("ncolony.monitor") ?? {}, "ncolony.monitor.", report);
  monitor.only(MONITOR_KEYS);
  const killTime = monitor.number("kill_time", MAX_SECONDS);
  const uid = config.id("uid");
  const gid = config.id("gid");
  const cwd = monitor.path("cwd");
  const killScope = monitor.oneOf("kill_scope", KILL_SCOPES) ?? "all";
  const daemonizes = monitor.boolean("daemonizes") ?? false;
  if (daemonizes && killScope !== "cgroup" && killScope !== "all") {
    const field = "ncolony.monitor.daemonizes";
    report(field, `${JSON.stringify(field)} needs "kill_scope": "cgroup" or "all"`);
  }
  const surroundings = parseSurroundings(monitor);
  const other = uid === undefined ? gid === undefined ? null : "gid" : "uid";
  if (surroundings.user !== undefined && other !== null) {
    const field = "ncolony.monitor.user";
    report(field, `${JSON.stringify(field)} cannot be used together with "${other}"`);
  }
  return {
    name,
    source,
    args: config.command("args"),
    env: config.environment("env"),
    envInherit: config.strings("env_inherit", 'names of variables, not empty and without "="', isVariable),
    groups: config.strings("group", "strings", () => true),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(cwd === undefined ? {} : { cwd }),
    surroundings,
    stopSignal: monitor.oneOf<StopSignal>("stop_signal", STOP_SIGNALS) ?? "SIGTERM",
    ...(killTime === undefined ? {} : { killTimeMs: killTime * 1000 }),
    killScope,
    daemonizes,
    limits: parseLimits(monitor.section("limits")),
    log: monitor.isFalse("log") ? false : logLimits(monitor.section("log", "an object or false")),
    enabled: monitor.boolean("enabled") ?? true,
  };
}

function logLimits(log: Fields | null): Partial<LogLimits> {
  log?.only(["keep", "size", "time"]);
  const maxBytes = log?.integer("size", MAX_LOG_BYTES, MIN_LOG_BYTES);
  const keep = log?.integer("keep", MAX_LOG_KEEP);
  const hasTimes = log?.boolean("time");
  return {
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(keep === undefined ? {} : { keep }),
    ...(hasTimes === undefined ? {} : { hasTimes }),
  };
}

function parseLimits(limits: Fields | null): Limits {
  limits?.only(["cpu", "memory", "pids"]);
  const memoryBytes = limits?.parsed("memory", MEMORY, parseMemory);
  const cpus = limits?.number("cpu", MAX_CPUS, MIN_CPUS);
  const pids = limits?.integer("pids", MAX_PIDS, 1);
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(pids === undefined ? {} : { pids }),
  };
}

function parseMemory(value: Json): number | undefined {
  const bytes = typeof value === "string" ? parseBytes(value) : value;
  const isValid = typeof bytes === "number" && Number.isInteger(bytes) && bytes >= MIN_MEMORY_BYTES &&
    bytes <= MAX_MEMORY_BYTES;
  return isValid ? bytes : undefined;
}

/** Returns the length of a text in bytes of UTF-8, or in UTF-16 units if that already shows if it is too long. */
function utf8Length(text: string): number {
  if (text.length * 3 <= MAX_CONFIG_BYTES || text.length > MAX_CONFIG_BYTES) return text.length;
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // A surrogate pair takes 4 bytes, so each half counts 2.
    if (unit >= 0x80) length += unit < 0x800 || unit >= 0xd800 && unit < 0xe000 ? 1 : 2;
  }
  return length;
}
