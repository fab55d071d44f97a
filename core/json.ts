import { jsonHint } from "./json_hint.ts";
import { whereNotJson } from "./json_scan.ts";

/** A value that `JSON.parse` can return. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A JSON object. */
export type JsonObject = { [key: string]: Json };

/**
 * Parses a text that must be a JSON object.
 *
 * @throws {Error} If the text is no JSON object: the error that `fail` creates.
 */
export function parseObject(source: string, fail: (reason: string) => Error): JsonObject {
  if (source.startsWith("\ufeff")) throw fail("begins with a byte order mark, which is not JSON");
  const where = whereNotJson(source);
  if (where !== null) throw fail(`invalid JSON at ${where}${jsonHint(source)}`);
  const value: Json = JSON.parse(source);
  if (!isObject(value)) throw fail(`must be a JSON object: got ${typeName(value)}`);
  return value;
}

/** Returns whether a value is a JSON object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the value of an own key of an object, so that `__proto__` is a key like any other. */
export function ownValue(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Names the type of a value, for messages that must not show the value: `a number`, `an object`. */
export function typeName(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  const type = typeof value;
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}
