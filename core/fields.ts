import { isObject, type Json, type JsonObject, ownValue, typeName } from "./json.ts";
import { plainKey } from "./plain_key.ts";
import { quotedName } from "./shown.ts";

/** The longest duration in a config or an option, in seconds. */
export const MAX_SECONDS = 1e9;

/** The shortest period, in seconds. */
const MIN_PERIOD_SECONDS = 0.01;

/** The largest user or group id. The next number is -1 to the kernel, which means "do not change it". */
export const MAX_ID = 2 ** 32 - 2;

/** Headers that a config may not set: they frame the request or control the connection. */
const FRAMING = ["connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"];

/** Takes what is wrong with a config: the path of the key, or null for the text as a whole, and why. May throw. */
export type Report = (field: string | null, reason: string) => void;

/**
 * One object of a config. Each method reads a key. If the value is invalid, it reports that, and returns what it returns
 * for a missing key.
 */
export class Fields {
  readonly #object: JsonObject;
  readonly #prefix: string;
  readonly #report: Report;

  constructor(object: JsonObject, prefix: string, report: Report) {
    this.#object = object;
    this.#prefix = prefix;
    this.#report = report;
  }

  only(keys: readonly string[]): void {
    for (const unknown of Object.keys(this.#object).filter((key) => !keys.includes(key))) {
      const field = this.#prefix + unknown;
      const meant = keys.find((key) => plainKey(key) === plainKey(unknown));
      const hint = meant === undefined ? `; known keys: ${keys.join(", ")}` : `: did you mean "${meant}"?`;
      this.#report(field, `unknown key ${quotedName(field)}${hint}`);
    }
  }

  /** Reads a nested object. Returns null if the key is missing or its value is null. */
  section(key: string, wanted?: string): Fields | null {
    const object = ownValue(this.#object, key) === null ? undefined : this.object(key, wanted);
    return object === undefined ? null : new Fields(object, `${this.#prefix}${key}.`, this.#report);
  }

  object(key: string, wanted = "an object"): JsonObject | undefined {
    const value = ownValue(this.#object, key);
    if (value === undefined || isObject(value)) return value;
    return this.#wrong(key, wanted, value);
  }

  /** Reads a user or group id. A value of null, which Python writes for `None`, counts as missing. */
  id(key: string): number | undefined {
    return ownValue(this.#object, key) === null ? undefined : this.integer(key, MAX_ID);
  }

  number(key: string, max: number, min = 0): number | undefined {
    const value = ownValue(this.#object, key);
    if (value === undefined || typeof value === "number" && value >= min && value <= max) return value;
    const got = typeof value === "number" ? `${value}` : blame(value);
    return this.#wrong(key, `a number from ${min} to ${max}`, value, got);
  }

  /** Reads a period in seconds. It has a minimum, so that nothing is done without a pause. */
  period(key: string): number | undefined {
    return this.number(key, MAX_SECONDS, MIN_PERIOD_SECONDS);
  }

  integer(key: string, max: number, min = 0): number | undefined {
    const value = this.number(key, max, min);
    if (value === undefined || Number.isInteger(value)) return value;
    return this.#wrong(key, "an integer", value, `${value}`);
  }

  /** Reads a value in the way that `parse` does, which returns undefined if it is invalid. */
  parsed<T>(key: string, wanted: string, parse: (value: Json) => T | undefined): T | undefined {
    const value = ownValue(this.#object, key);
    const parsed = value === undefined ? undefined : parse(value);
    if (value === undefined || parsed !== undefined) return parsed;
    return this.#wrong(key, wanted, value, otherThan(value));
  }

  /** Reads a non-empty string that can be passed to the operating system. */
  text(key: string): string | undefined {
    const value = ownValue(this.#object, key);
    if (value === undefined || isText(value) && value !== "") return value;
    return this.#wrong(key, "a non-empty string", value, otherThan(value));
  }

  /** Reads an HTTP status, an array of them, or "any". Returns null if the key is missing. */
  statuses(key: string): readonly number[] | "any" | null {
    const value = ownValue(this.#object, key);
    if (value === undefined) return null;
    if (value === "any") return value;
    const statuses = Array.isArray(value) ? value : [value];
    if (statuses.length > 0 && statuses.every(isStatus)) return statuses;
    this.#wrong(key, 'a status from 100 to 599, an array of those, or "any"', value);
    return null;
  }

  /** Returns a value that was read, or else the last argument. Reports a key that is missing. */
  needed<T>(key: string, value: T | undefined, otherwise: T): T {
    const field = this.#prefix + key;
    if (!Object.hasOwn(this.#object, key)) this.#report(field, `${quotedName(field)} is missing`);
    return value ?? otherwise;
  }

  boolean(key: string): boolean | undefined {
    const value = ownValue(this.#object, key);
    if (value === undefined || typeof value === "boolean") return value;
    return this.#wrong(key, "true or false", value);
  }

  /** Returns whether a value is false. */
  isFalse(key: string): boolean {
    return ownValue(this.#object, key) === false;
  }

  oneOf<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const value = ownValue(this.#object, key);
    const choice = choices.find((one) => one === value);
    if (value === undefined || choice !== undefined) return choice;
    const meant = typeof value === "string" ? choices.find((one) => isMeant(one, value)) : undefined;
    const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
    return this.#wrong(key, `one of ${choices.join(", ")}`, value, otherThan(value) + hint);
  }

  path(key: string): string | undefined {
    const value = ownValue(this.#object, key);
    if (value === undefined || isText(value) && value.startsWith("/")) return value;
    return this.#wrong(key, "an absolute path", value, otherThan(value));
  }

  strings(key: string, kind: string, test: (text: string) => boolean): readonly string[] {
    const value = Object.hasOwn(this.#object, key) ? this.#object[key] : [];
    if (isTexts(value) && value.every(test)) return value;
    this.#wrong(key, `an array of ${kind}`, value, blameItem(value));
    return [];
  }

  command(key: string): readonly [string, ...string[]] {
    const value = ownValue(this.#object, key);
    if (isTexts(value) && hasFirst(value) && value[0] !== "") return value;
    this.#wrong(key, "a non-empty array of strings that begins with a command", value, blameItem(value));
    return ["true"];
  }

  /** Reads the headers of an HTTP request without a body. */
  headers(key: string): Readonly<Record<string, string>> {
    const isHeader = (name: string) => /^[\w!#$%&'*+.^`|~-]+$/.test(name);
    return this.#texts(key, "header name", isHeader, (name, value) => {
      if (FRAMING.includes(name.toLowerCase())) return ["left out", blame(value)];
      const isGood = typeof value === "string" && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
      return isGood ? null : ["a string of printable Latin-1", otherThan(value)];
    });
  }

  environment(key: string): Readonly<Record<string, string>> {
    return this.#texts(
      key,
      "variable name",
      isVariable,
      (_, value) => isText(value) ? null : ["a string", blame(value)],
    );
  }

  /** Reads an object of strings. `check` returns what a value must be and what it is, or null if it is good. */
  #texts(
    key: string,
    kind: string,
    isName: (name: string) => boolean,
    check: (name: string, value: Json) => readonly [wanted: string, got: string] | null,
  ): Readonly<Record<string, string>> {
    const entries = Object.entries(this.object(key) ?? {}).flatMap(([name, value]): [string, string][] => {
      const field = this.#prefix + key;
      if (!isName(name)) this.#report(field, `${quotedName(field)} has a key that is not a valid ${kind}`);
      const fault = check(name, value);
      if (fault !== null) this.#wrong(`${key}.${name}`, fault[0], value, fault[1]);
      return fault === null ? [[name, value as string]] : [];
    });
    return Object.fromEntries(entries);
  }

  #wrong(key: string, wanted: string, value: Json | undefined, got = blame(value)): undefined {
    const field = this.#prefix + key;
    this.#report(field, `${quotedName(field)} must be ${wanted}: got ${got}`);
  }
}

/** Returns whether a word means a choice: `term` and `Sigterm` mean SIGTERM. */
function isMeant(choice: string, word: string): boolean {
  return [word, `SIG${word}`].some((one) => one.toUpperCase() === choice.toUpperCase());
}

function isStatus(value: Json): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 100 && value <= 599;
}

/** Returns whether the kernel can pass a string on: it has no NUL and no lone surrogate. */
export function isText(value: Json | undefined): value is string {
  return typeof value === "string" && !value.includes("\0") && value.isWellFormed();
}

function isTexts(value: Json | undefined): value is string[] {
  return Array.isArray(value) && value.every(isText);
}

function hasFirst(texts: string[]): texts is [string, ...string[]] {
  return texts.length > 0;
}

/** Returns whether a text can be the name of an environment variable. */
export function isVariable(name: string): boolean {
  return isText(name) && name !== "" && !name.includes("=");
}

/** Like {@linkcode blame}, if a string was expected, but not this one. */
function otherThan(value: Json): string {
  return typeof value === "string" ? "another string" : blame(value);
}

/** Like {@linkcode blame}, if an array of strings was expected, but not this one. */
function blameItem(value: Json | undefined): string {
  if (!Array.isArray(value) || value.length === 0) return blame(value);
  const culprit = value.find((item) => !isText(item));
  return culprit === undefined ? "other strings" : `an array with ${blame(culprit)}`;
}

/** Describes an invalid value by its type only, because values may be secrets. */
function blame(value: Json | undefined): string {
  if (typeof value !== "string") return typeName(value);
  if (value.includes("\0")) return "a string with a NUL";
  return value.isWellFormed() ? "a string" : "a string that is not well-formed Unicode";
}
