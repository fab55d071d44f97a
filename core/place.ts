import { type Token, tokensOf } from "./json.ts";

/** A place in a text, counted from 1. */
export interface Place {
  /** The line. */
  readonly line: number;
  /** The column, in UTF-16 units. */
  readonly column: number;
}

/**
 * Returns where a config text is invalid: where a key stands, or where the text stops being JSON. Null if it has no
 * such key.
 *
 * @param source The text.
 * @param field The path of the key, such as `ncolony.monitor.cwd`. Null: the text as a whole.
 *
 * @example
 * ```ts
 * import { placeOf } from "@ncolony/core";
 *
 * const place = placeOf('{\n  "args": "cat"\n}', "args");
 * if (place?.line !== 2 || place.column !== 3) throw new Error("unexpected");
 * ```
 */
export function placeOf(source: string, field: string | null): Place | null {
  if (field === null) {
    const { end, isWhole } = tokensOf(source);
    return isWhole ? null : placeAt(source, end);
  }
  const found = keysOf(tokensOf(source).tokens).findLast(({ path }) => path === field);
  return found === undefined ? null : placeAt(source, found.at);
}

/** Returns the path and the position of each key. */
function keysOf(tokens: readonly Token[]): { readonly path: string; readonly at: number }[] {
  const keys: { path: string; at: number }[] = [];
  const prefixes: string[] = [];
  let path = "";
  for (const [index, { text, at }] of tokens.entries()) {
    if (text === "{" || text === "[") prefixes.push(path === "" ? "" : `${path}.`);
    else if (text === "}" || text === "]") prefixes.pop();
    else if (tokens[index + 1]?.text === ":") {
      path = `${prefixes.at(-1)}${JSON.parse(text)}`;
      keys.push({ path, at });
    }
  }
  return keys;
}

function placeAt(source: string, at: number): Place {
  const lines = source.slice(0, at).split("\n");
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}
