import { SpecError } from "./errors.ts";
import { Fields, isVariable, MAX_SECONDS } from "./fields.ts";
import { parseObject } from "./json.ts";
import { nameFault } from "./name.ts";
import { type KillScope, type LogLimits, type Spec, STOP_SIGNALS, type StopSignal } from "./types.ts";

/**
 * The longest config, in bytes of UTF-8: Linux takes 131,072 bytes for one string of an environment (MAX_ARG_STRLEN),
 * which must hold `NCOLONY_CONFIG=`, the text and a NUL.
 */
export const MAX_CONFIG_BYTES = 131_056;

/** The keys that `ncolony.monitor` may have. */
export const MONITOR_KEYS: readonly string[] = ["cwd", "enabled", "kill_scope", "kill_time", "log", "stop_signal"];

/** A smaller log file would be renamed all the time. */
export const MIN_LOG_BYTES = 4096;

/** The largest log file. */
export const MAX_LOG_BYTES = 2 ** 40;

/** The most old log files. */
export const MAX_LOG_KEEP = 1000;

/**
 * Parses a config file.
 *
 * Keys that are not the monitor's are extras and of any type; Python NColony ignores `ncolony.monitor`. Of two equal keys
 * the last counts, as in Python.
 *
 * @param name The file's name, which becomes the process's.
 * @param source The file's text.
 * @throws {SpecError} Where the name or the text is wrong; it names the field, and never shows a value that may be secret.
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
  const fail = (field: string | null, reason: string) => new SpecError(name, field, reason);
  const fault = nameFault(name);
  if (fault !== null) throw fail(null, fault);
  if (!source.isWellFormed()) throw fail(null, "must be well-formed Unicode");
  if (utf8Length(source) > MAX_CONFIG_BYTES) throw fail(null, `must be at most ${MAX_CONFIG_BYTES} bytes`);
  const config = new Fields(parseObject(source, (reason) => fail(null, reason)), "", fail);
  const monitor = new Fields(config.object("ncolony.monitor") ?? {}, "ncolony.monitor.", fail);
  monitor.only(MONITOR_KEYS);
  const killTime = monitor.number("kill_time", MAX_SECONDS);
  const uid = config.id("uid");
  const gid = config.id("gid");
  const cwd = monitor.path("cwd");
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
    stopSignal: monitor.oneOf<StopSignal>("stop_signal", STOP_SIGNALS) ?? "SIGTERM",
    ...(killTime === undefined ? {} : { killTimeMs: killTime * 1000 }),
    killScope: monitor.oneOf<KillScope>("kill_scope", ["group", "process"]) ?? "group",
    log: monitor.isFalse("log") ? false : logLimits(monitor.section("log", "an object or false")),
    enabled: monitor.boolean("enabled") ?? true,
  };
}

function logLimits(log: Fields | null): Partial<LogLimits> {
  log?.only(["keep", "size"]);
  const maxBytes = log?.integer("size", MAX_LOG_BYTES, MIN_LOG_BYTES);
  const keep = log?.integer("keep", MAX_LOG_KEEP);
  return { ...(maxBytes === undefined ? {} : { maxBytes }), ...(keep === undefined ? {} : { keep }) };
}

/** The length of a text in bytes of UTF-8, or more than any limit as soon as that is certain. */
function utf8Length(text: string): number {
  if (text.length * 3 <= MAX_CONFIG_BYTES || text.length > MAX_CONFIG_BYTES) return text.length;
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Of a surrogate pair, which takes 4 bytes, each half counts 2.
    if (unit >= 0x80) length += unit < 0x800 || unit >= 0xd800 && unit < 0xe000 ? 1 : 2;
  }
  return length;
}
