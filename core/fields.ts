import { isObject, type Json, type JsonObject, ownValue, typeName } from "./json.ts";
import { quotedName } from "./shown.ts";

/** The longest duration that a config or an option may give, in seconds. */
export const MAX_SECONDS = 1e9;

/** The shortest period. */
const MIN_PERIOD_SECONDS = 0.01;

/** The largest user and group id; the one above it, -1 to the kernel, means "leave it as it is". */
export const MAX_ID = 2 ** 32 - 2;

/** Headers that say where a request ends, and what becomes of the connection: that is not for a config to say. */
const FRAMING = ["connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"];

/** One object of a config: each method reads a key, and throws what `fail` makes of it where its value is of the wrong kind. */
export class Fields {
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
    throw this.#fail(field, `${quotedName(field)} is not known: known are ${keys.join(", ")}`);
  }

  /** The fields of an object inside this one; null where there is none, or null in its place. */
  section(key: string, wanted?: string): Fields | null {
    const object = ownValue(this.#object, key) === null ? undefined : this.object(key, wanted);
    return object === undefined ? null : new Fields(object, `${this.#prefix}${key}.`, this.#fail);
  }

  object(key: string, wanted = "an object"): JsonObject | undefined {
    const value = ownValue(this.#object, key);
    if (value === undefined || isObject(value)) return value;
    throw this.#wrong(key, wanted, value);
  }

  /** A user's or group's id; null, which Python's `None` becomes, is none. */
  id(key: string): number | undefined {
    return ownValue(this.#object, key) === null ? undefined : this.integer(key, MAX_ID);
  }

  number(key: string, max: number, min = 0): number | undefined {
    const value = ownValue(this.#object, key);
    if (value === undefined || typeof value === "number" && value >= min && value <= max) return value;
    const got = typeof value === "number" ? `${value}` : blame(value);
    throw this.#wrong(key, `a number from ${min} to ${max}`, value, got);
  }

  /** How often something is done, in seconds: often enough, but not without a pause. */
  period(key: string): number | undefined {
    return this.number(key, MAX_SECONDS, MIN_PERIOD_SECONDS);
  }

  integer(key: string, max: number, min = 0): number | undefined {
    const value = this.number(key, max, min);
    if (value === undefined || Number.isInteger(value)) return value;
    throw this.#wrong(key, "an integer", value, `${value}`);
  }

  /** Some text that can be passed to the operating system. */
  text(key: string): string | undefined {
    const value = ownValue(this.#object, key);
    if (value === undefined || isText(value) && value !== "") return value;
    throw this.#wrong(key, "a non-empty string", value, otherThan(value));
  }

  /** One status of HTTP, some, or "any"; null where nothing is said. */
  statuses(key: string): readonly number[] | "any" | null {
    const value = ownValue(this.#object, key);
    if (value === undefined) return null;
    if (value === "any") return value;
    const statuses = Array.isArray(value) ? value : [value];
    if (statuses.length > 0 && statuses.every(isStatus)) return statuses;
    throw this.#wrong(key, 'a status from 100 to 599, an array of those, or "any"', value);
  }

  /** A value that must be there. */
  needed<T>(key: string, value: T | undefined): T {
    if (value !== undefined) return value;
    const field = this.#prefix + key;
    throw this.#fail(field, `${quotedName(field)} is missing`);
  }

  boolean(key: string): boolean | undefined {
    const value = ownValue(this.#object, key);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.#wrong(key, "true or false", value);
  }

  /** Whether a value is false, which says that something is not wanted. */
  isFalse(key: string): boolean {
    return ownValue(this.#object, key) === false;
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

  /** Headers of an HTTP request without a body. */
  headers(key: string): Readonly<Record<string, string>> {
    const headers = Object.entries(this.object(key) ?? {}).map(([name, value]): [string, string] => {
      if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
        throw this.#fail(this.#prefix + key, `${quotedName(this.#prefix + key)} has a key that cannot name a header`);
      }
      if (FRAMING.includes(name.toLowerCase())) throw this.#wrong(`${key}.${name}`, "left out", value);
      if (typeof value === "string" && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return [name, value];
      throw this.#wrong(`${key}.${name}`, "a string of printable Latin-1", value, otherThan(value));
    });
    return Object.fromEntries(headers);
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
    return this.#fail(field, `${quotedName(field)} must be ${wanted}: got ${got}`);
  }
}

function isStatus(value: Json): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 100 && value <= 599;
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

/** Whether a text can name a variable of an environment. */
export function isVariable(name: string): boolean {
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
