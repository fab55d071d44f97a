import { MessageError } from "./errors.ts";
import { type JsonObject, ownValue, parseObject, typeName } from "./json.ts";
import type { Message, Origin } from "./types.ts";

/** The longest message file, in bytes. */
export const MAX_MESSAGE_BYTES = 65_536;

/** How much is kept of who sent a message, and why, in characters. */
const MAX_TEXT = 200;

/**
 * Parses a message file.
 *
 * Accepts what Python NColony's code writes, `{"type": "RESTART", "name": "web"}`, and what its manual says,
 * `{"type": "restart", "value": "web"}`.
 *
 * Each may also say who sent it and why (see {@linkcode Origin}).
 *
 * @param file The name of the file, for the error.
 * @param source The text of the file.
 * @throws {MessageError} If the text is not a message.
 *
 * @example
 * ```ts
 * import { parseMessage } from "@ncolony/core";
 *
 * const message = parseMessage("1", '{"type": "restart", "value": "web"}');
 * if (message.type !== "RESTART" || message.name !== "web") throw new Error("unexpected");
 * ```
 */
export function parseMessage(file: string, source: string): Message {
  let origin: Origin = {};
  const fail = (field: string | null, reason: string) => new MessageError(file, field, reason, origin);
  if (source.length > MAX_MESSAGE_BYTES) throw fail(null, `must be at most ${MAX_MESSAGE_BYTES} bytes`);
  const object = parseObject(source, (reason) => fail(null, reason));
  origin = originOf(object);
  const type = ownValue(object, "type");
  switch (type) {
    case "RESTART":
    case "restart": {
      const key = Object.hasOwn(object, "name") ? "name" : "value";
      return { type: "RESTART", name: text(object, key, "name", fail), ...origin };
    }
    case "RESTART-ALL":
    case "restart-all":
      return { type: "RESTART-ALL", ...origin };
    case "RESTART-GROUP":
    case "restart-group":
      return { type: "RESTART-GROUP", group: text(object, "group", "group", fail), ...origin };
  }
  const got = typeof type === "string" ? "another string" : typeName(type);
  throw fail("type", `"type" must be RESTART, RESTART-ALL or RESTART-GROUP: got ${got}`);
}

/**
 * Formats a message as Python NColony's ctl does, so that both monitors can read it.
 *
 * @example
 * ```ts
 * import { formatMessage } from "@ncolony/core";
 *
 * if (formatMessage({ type: "RESTART-ALL" }) !== '{"type":"RESTART-ALL"}') throw new Error("unexpected");
 * ```
 */
export function formatMessage(message: Message): string {
  return JSON.stringify(message);
}

/** Values of other types are ignored: to Python NColony, all of these are unknown keys. */
function originOf(object: JsonObject): Origin {
  const [from, reason] = [ownValue(object, "from"), ownValue(object, "reason")];
  const incarnation = ownValue(object, "incarnation");
  return {
    ...(typeof from === "string" ? { from: shortened(from) } : {}),
    ...(typeof reason === "string" ? { reason: shortened(reason) } : {}),
    ...(typeof incarnation === "number" && Number.isSafeInteger(incarnation) ? { incarnation } : {}),
  };
}

function shortened(text: string): string {
  return text.length <= MAX_TEXT ? text : [...text.slice(0, 2 * MAX_TEXT)].slice(0, MAX_TEXT).join("");
}

function text(
  object: JsonObject,
  key: string,
  field: string,
  fail: (field: string, reason: string) => MessageError,
): string {
  const value = ownValue(object, key);
  if (typeof value === "string") return value;
  throw fail(field, `${JSON.stringify(field)} must be a string: got ${typeName(value)}`);
}
