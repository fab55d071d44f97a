import { SpecError } from "./errors.ts";
import { isObject, type Json, type JsonObject, ownValue, parseObject, typeName } from "./json.ts";
import { nameFault } from "./name.ts";
import { type KillScope, type Spec, STOP_SIGNALS, type StopSignal } from "./types.ts";

/**
 * The longest config, in bytes of UTF-8: Linux takes 131,072 bytes for one string of an environment (MAX_ARG_STRLEN),
 * which must hold `NCOLONY_CONFIG=`, the text and a NUL.
 */
export const MAX_CONFIG_BYTES = 131_056;

/** The longest duration that a config or an option may give, in seconds. */
export const MAX_SECONDS = 1e9;

/** The largest user and group id; the one above it, -1 to the kernel, means "leave it as it is". */
export const MAX_ID = 2 ** 32 - 2;

/** The keys that `ncolony.monitor` may have. */
const MONITOR_KEYS = ["cwd", "enabled", "kill_scope", "kill_time", "stop_signal"];

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
    enabled: monitor.boolean("enabled") ?? true,
  };
}

/** One object of the config: each method reads a key and throws where its value is of the wrong kind. */
class Fields {
  readonly #object: JsonObject;
  readonly #prefix: string;
  readonly #fail: (field: string, reason: string) => Error;

  constructor(object: JsonObject, prefix: string, fail: (field: string, reason: string) => Error) {
    this.#object = object;
    this.#prefix = prefix;
    this.#fail = fail;
  }

  only(keys: readonly string[]): void {
    const unknown = Object.keys(this.#object).find((key) => !keys.includes(key));
    if (unknown === undefined) return;
    const field = this.#prefix + unknown;
    throw this.#fail(field, `${JSON.stringify(field)} is not known to the monitor, which takes ${keys.join(", ")}`);
  }

  object(key: string): JsonObject | undefined {
    const value = ownValue(this.#object, key);
    if (value === undefined || isObject(value)) return value;
    throw this.#wrong(key, "an object", value);
  }

  /** A user's or group's id; null, which Python's `None` becomes, is none. */
  id(key: string): number | undefined {
    if (ownValue(this.#object, key) === null) return undefined;
    const id = this.number(key, MAX_ID);
    if (id === undefined || Number.isInteger(id)) return id;
    throw this.#wrong(key, "an integer", id, `${id}`);
  }

  number(key: string, max: number): number | undefined {
    const value = ownValue(this.#object, key);
    if (value === undefined || typeof value === "number" && value >= 0 && value <= max) return value;
    const got = typeof value === "number" ? `${value}` : blame(value);
    throw this.#wrong(key, `a number from 0 to ${max}`, value, got);
  }

  boolean(key: string): boolean | undefined {
    const value = ownValue(this.#object, key);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.#wrong(key, "true or false", value);
  }

  oneOf<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const value = ownValue(this.#object, key);
    const choice = choices.find((one) => one === value);
    if (value === undefined || choice !== undefined) return choice;
    throw this.#wrong(key, `one of ${choices.join(", ")}`, value, otherThan(value));
  }

  path(key: string): string | undefined {
    const value = ownValue(this.#object, key);
    if (value === undefined || isText(value) && value.startsWith("/")) return value;
    throw this.#wrong(key, "an absolute path", value, otherThan(value));
  }

  strings(key: string, kind: string, test: (text: string) => boolean): readonly string[] {
    const value = Object.hasOwn(this.#object, key) ? this.#object[key] : [];
    if (isTexts(value) && value.every(test)) return value;
    throw this.#wrong(key, `an array of ${kind}`, value, blameItem(value));
  }

  command(key: string): readonly [string, ...string[]] {
    const value = ownValue(this.#object, key);
    if (isTexts(value) && hasFirst(value) && value[0] !== "") return value;
    throw this.#wrong(key, "a non-empty array of strings that begins with a command", value, blameItem(value));
  }

  environment(key: string): Readonly<Record<string, string>> {
    const variables = Object.entries(this.object(key) ?? {}).map(([name, value]): [string, string] => {
      if (!isVariable(name)) throw this.#fail(key, `${JSON.stringify(key)} has a key that cannot name a variable`);
      if (!isText(value)) throw this.#wrong(`${key}.${name}`, "a string", value);
      return [name, value];
    });
    return Object.fromEntries(variables);
  }

  #wrong(key: string, wanted: string, value: Json | undefined, got = blame(value)): Error {
    const field = this.#prefix + key;
    return this.#fail(field, `${JSON.stringify(field)} must be ${wanted}: got ${got}`);
  }
}

/** What the kernel can pass on: no NUL, and no half of a surrogate pair. */
function isText(value: Json | undefined): value is string {
  return typeof value === "string" && !value.includes("\0") && value.isWellFormed();
}

function isTexts(value: Json | undefined): value is string[] {
  return Array.isArray(value) && value.every(isText);
}

function hasFirst(texts: string[]): texts is [string, ...string[]] {
  return texts.length > 0;
}

function isVariable(name: string): boolean {
  return isText(name) && name !== "" && !name.includes("=");
}

/** As {@linkcode blame}, where a string was wanted, but not that one. */
function otherThan(value: Json): string {
  return typeof value === "string" ? "another string" : blame(value);
}

/** As {@linkcode blame}, where an array of strings was wanted, but not that one. */
function blameItem(value: Json | undefined): string {
  if (!Array.isArray(value) || value.length === 0) return blame(value);
  const culprit = value.find((item) => !isText(item));
  return culprit === undefined ? "other strings" : `an array with ${blame(culprit)}`;
}

/** Says what was found in the place of what is wanted, by its type alone: values may be secrets. */
function blame(value: Json | undefined): string {
  if (typeof value !== "string") return typeName(value);
  if (value.includes("\0")) return "a string with a NUL";
  return value.isWellFormed() ? "a string" : "a string that is not well-formed Unicode";
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
