import { SpecError } from "./errors.ts";
import type { Report } from "./fields.ts";
import { type JsonObject, parseObject } from "./json.ts";

/** Parses the text of a config as JSON. @throws {SpecError} If it is no JSON object. */
export function parseConfig(name: string, source: string): JsonObject {
  return parseObject(source, (reason) => new SpecError(name, null, reason));
}

/** Returns what throws a {@linkcode SpecError} about the config of this name. */
export function throwing(name: string): Report {
  return (field, reason) => {
    throw new SpecError(name, field, reason);
  };
}
