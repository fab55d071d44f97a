/** What `JSON.parse` can give. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A JSON object. */
export type JsonObject = { [key: string]: Json };

const TOKEN =
  // deno-lint-ignore no-control-regex -- JSON forbids control characters in strings
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/y;

/**
 * Finds where a text stops being JSON, as `line 3, column 7`, both counted from 1; null where it is JSON throughout.
 *
 * `JSON.parse` quotes the text around an error, which may be a secret, does not always say where it stands, and V8 keeps
 * the whole text of each error for as long as it likes.
 */
export function whereNotJson(source: string): string | null {
  const open: ("{" | "[")[] = [];
  let wants: "value" | "value or ]" | "key" | "key or }" | ":" | ", or close" | "end" = "value";
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (match === null) break;
    const [text, mark, string] = match;
    const afterValue = open.length === 0 ? "end" : ", or close";
    if ((mark === "{" || mark === "[") && wants.startsWith("value")) {
      open.push(mark);
      wants = mark === "{" ? "key or }" : "value or ]";
    } else if (
      mark === "}" && open.at(-1) === "{" && (wants === "key or }" || wants === ", or close") ||
      mark === "]" && open.at(-1) === "[" && (wants === "value or ]" || wants === ", or close")
    ) {
      open.pop();
      wants = open.length === 0 ? "end" : ", or close";
    } else if (mark === "," && wants === ", or close") {
      wants = open.at(-1) === "{" ? "key" : "value";
    } else if (mark === ":" && wants === ":") {
      wants = "value";
    } else if (string !== undefined && wants.startsWith("key")) {
      wants = ":";
    } else if (mark === undefined && wants.startsWith("value")) {
      wants = afterValue;
    } else break;
    at += text.length;
  }
  while (" \t\n\r".includes(source.charAt(at)) && at < source.length) at++;
  if (wants === "end" && at === source.length) return null;
  const lines = source.slice(0, at).split("\n");
  return `line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
}

/**
 * Parses a text that must be a JSON object.
 *
 * @throws whatever `fail` makes of the reason.
 */
export function parseObject(source: string, fail: (reason: string) => Error): JsonObject {
  if (source.startsWith("\ufeff")) throw fail("begins with a byte order mark, which is not JSON");
  const where = whereNotJson(source);
  if (where !== null) throw fail(`not JSON at ${where}`);
  const value: Json = JSON.parse(source);
  if (!isObject(value)) throw fail(`must be a JSON object: got ${typeName(value)}`);
  return value;
}

/** Whether a value is a JSON object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value of a key that an object itself has: `__proto__` and the like are keys as any other. */
export function ownValue(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Names a value's type, for messages that must not show the value: `a number`, `an object`. */
export function typeName(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  const type = typeof value;
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}
